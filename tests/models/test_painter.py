import math
from dataclasses import fields, replace
from typing import Any

import pytest
import torch

from limner.errors import UserError
from limner.models.build import build, check
from limner.models.code import mean_codes
from limner.models.encoders import Pointing, Recurrent
from limner.models.evaluating import evaluating
from limner.models.order import by_evidence
from limner.models.painter import Painter
from limner.models.settings import IN_TURN, PAINTERS, Model
from limner.models.uses import USES
from limner.models.writers import Writers
from limner.writer import render

SIZE = (20, 24)
VARIANTS = {
    "plain": {},
    "bank": {"templates": ("square", "circle"), "noise": 0.1},
    "scale": {"affine": "scale"},
    "normalised": {"batch_norm": True},
    "deep": {"batch_norm": True, "layers": 2},
    "deterministic code": {"latent": 8, "sigma": 0.0, "latent_cost": "mu"},
    "denoising": {"latent": 8, "sigma": 0.5, "latent_cost": "none", "input_noise": 0.1},
    "variational": {"latent": 8, "likelihood": "ce"},
    "calibrated": {"latent": 8, "likelihood": "optimal-sigma", "sigma_start": 0.05},
    "flip": {"latent": 8, "likelihood": "flip"},
    "learnt templates": {"learn_templates": "drawn", "templates": ("square", "circle")},
    "random templates": {"learn_templates": "random", "templates": ("square", "circle")},
}
ORDERS = {
    "soft": {"order": "soft"},
    "straight-through": {"order": "straight-through"},
    "evidence": {"order": "evidence"},
}
CASES = [(kind, name) for kind in PAINTERS for name in (*VARIANTS, *ORDERS)]
SENSELESS = [("canvas-recurrent", name) for name in ORDERS]
SENSELESS += [(kind, "normalised") for kind in IN_TURN]
SENSELESS += [(kind, "deep") for kind in ("conv", "pointing")]
CASES = [case for case in CASES if case not in SENSELESS]


def painter(kind: str, channels: int = 1, **options) -> Painter:
    torch.manual_seed(0)
    model = build(Model(kind=kind, moves=3, hidden=16, **options), SIZE, channels)
    assert isinstance(model, Painter)
    return model


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_every_parameter_gets_a_gradient_and_what_is_scored_is_what_is_saved(kind: str, name: str) -> None:
    model = painter(kind, channels=3, **(VARIANTS | ORDERS)[name])
    images = torch.rand(5, 3, *SIZE)
    output = model(images)
    assert output.canvas.shape == images.shape
    assert all(loss.shape == (5,) for loss in output.losses.values())
    output.loss.backward()
    silent = [name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert not silent
    model.eval()
    with torch.no_grad():
        output = model(images)
        compositing = "over" if output.strokes.depth is None else "depth"
        saved = render(output.strokes, model.bank, SIZE, compositing=compositing, backend="reference")
    assert (saved - output.canvas).abs().max() < 1e-5


def test_templates_are_learnt_from_how_they_are_drawn_or_from_noise() -> None:
    still, *learning = (
        painter("simple", templates=("circle", "square"), learn_templates=start)
        for start in ("no", "drawn", "random", "random")
    )
    assert not still.bank.masks.requires_grad
    assert all(model.bank.masks.requires_grad for model in learning)
    fixed, (drawn, noise, other) = still.bank.masks, (model.bank.masks.detach() for model in learning)
    torch.testing.assert_close(drawn, fixed, rtol=0, atol=0.0011)  # logits are of masks from 0.001 to 0.999
    assert torch.equal(noise, other)
    assert 0.27 < noise.std() < 0.3  # uniform: 0.289
    assert ((noise - fixed).abs().mean((1, 2)) > 0.2).all()


def test_what_a_simple_painter_computes_step_by_step() -> None:
    model = painter("simple", affine="scale")
    images = torch.rand(4, 1, *SIZE)
    first, scores = model.encoder[1], model.writers.scores
    hidden = (images.flatten(1) @ first.weight.T + first.bias).clamp(min=0)
    table = (hidden @ scores.weight.T + scores.bias).view(4, 3, 5)
    where = torch.zeros(4, 3, 2, 3)
    where[..., 0, 0], where[..., 1, 1] = 2 + table[..., 0], 2 + table[..., 2]
    where[..., 0, 2], where[..., 1, 2] = table[..., 1], table[..., 3]
    strokes = model(images).strokes
    assert torch.allclose(strokes.where, where, atol=1e-6)
    assert torch.allclose(strokes.what[..., 0], table[..., 4].sigmoid(), atol=1e-6)
    assert (strokes.which == 1).all()


@pytest.mark.parametrize("apart", ["moves", "components"])
def test_what_is_apart_shares_nothing(apart: Any) -> None:
    settings = Model(moves=3, templates=("square", "circle"), apart=apart, hidden=7, layers=2, order="soft")
    model = build(settings, (6, 5), 3)
    assert isinstance(model, Painter)
    strokes, _ = model.moves(torch.rand(4, 3, 6, 5))
    components = {name: tensor for name, tensor in strokes.tensors().items() if tensor.requires_grad}
    assert components.keys() == {"where", "which", "what", "depth"}
    taught: dict[str, list[tuple[int, str]]] = {}
    for t in range(3):
        for name, tensor in components.items():
            found = torch.autograd.grad(
                tensor[:, t].square().sum(), [*model.parameters()], retain_graph=True, allow_unused=True
            )
            for (weight, _), grad in zip(model.named_parameters(), found, strict=True):
                if grad is not None and grad.any():
                    taught.setdefault(weight, []).append((t, name))
    assert len(taught) == len([*model.parameters()])
    wanted = {(t, name) for t in range(3) for name in components}
    for weight, which in taught.items():
        assert len({t for t, _ in which}) == 1, weight
        assert len(which) == (4 if apart == "moves" else 1), weight
    assert {each for which in taught.values() for each in which} == wanted


def test_as_many_layers_as_parts() -> None:
    for apart, count in (("no", 1), ("moves", 2), ("components", 4)):
        model = build(Model(apart=apart, hidden=8), (5, 5), 1)
        layers = [module for module in model.modules() if isinstance(module, torch.nn.Linear)]
        assert [layer.out_features for layer in layers[:count]] == [8] * count
        assert [layer.in_features for layer in layers[count:]] == [8] * count
        assert sum(layer.out_features for layer in layers[count:]) == 2 * 7


def test_recurrent_encoder_is_an_lstm_fed_the_image_at_every_step() -> None:
    torch.manual_seed(0)
    encoder = Recurrent(Model(kind="recurrent", hidden=6), (4, 5), 1)
    cell = torch.nn.LSTMCell(20, 6)
    with torch.no_grad():
        cell.weight_ih.copy_(encoder.by_image.weight)
        cell.weight_hh.copy_(encoder.by_state.weight)
        cell.bias_ih.copy_(encoder.by_image.bias)
        cell.bias_hh.zero_()
        cell.bias_hh[6:12] = 1
    images = torch.rand(3, 1, 4, 5)
    gates, state, memory = encoder.start(images)
    wanted = (torch.zeros(3, 6), torch.zeros(3, 6))
    for _ in range(3):
        state, memory = encoder(gates, state, memory)
        wanted = cell(images.flatten(1), wanted)
    assert torch.allclose(state, wanted[0], atol=1e-6)
    assert torch.allclose(memory, wanted[1], atol=1e-6)


def test_canvas_recurrent_painter_sees_its_canvas() -> None:
    model = painter("canvas-recurrent")
    images = torch.rand(2, 1, *SIZE)
    before = model(images).strokes.where
    with torch.no_grad():
        model.encoder.by_canvas.weight.add_(0.1)
    after = model(images).strokes.where
    assert torch.equal(before[:, 0], after[:, 0])
    assert not torch.equal(before[:, 1], after[:, 1])


@pytest.mark.parametrize(
    "noise", [{"latent": 8, "sigma": 0.5}, {"input_noise": 0.5}, {"noise": 0.5, "templates": ("square", "circle")}]
)
def test_noise_only_in_training(noise: dict) -> None:
    model = painter("simple", **noise)
    images = torch.rand(2, 1, *SIZE)
    assert not torch.equal(model(images).canvas, model(images).canvas)
    model.eval()
    assert torch.equal(model(images).canvas, model(images).canvas)


def test_variational_codes_are_drawn_out_of_training_too_unless_means_are_asked_for() -> None:
    model = painter("simple", latent=8, likelihood="ce").eval()
    images = torch.rand(2, 1, *SIZE)
    assert not torch.equal(model(images).canvas, model(images).canvas)
    with mean_codes(model):
        assert torch.equal(model(images).canvas, model(images).canvas)


def test_sampling() -> None:
    assert painter("conv", latent=8).eval().sample(4).canvas.shape == (4, 1, *SIZE)
    with pytest.raises(ValueError, match="latent"):
        painter("simple").sample(4)
    for kind in ("recurrent", "pointing"):
        with pytest.raises(ValueError, match=f"not {kind}"):
            painter(kind, latent=8).sample(4)


def test_schedule_is_a_function_of_the_iteration() -> None:
    model = painter(
        "simple",
        templates=("square", "circle"),
        gamma=1.0,
        gamma_rate=0.01,
        order="soft",
        temperature=1.0,
        temperature_end=0.1,
        anneal=100,
    )
    model.schedule(50)
    assert model.writers.writer.gamma == pytest.approx(1.5)
    assert model.temperature == pytest.approx(math.sqrt(0.1))
    model.schedule(100_000)
    assert model.writers.writer.gamma == 30
    assert model.temperature == pytest.approx(0.1)
    model.schedule(0)
    assert (model.writers.writer.gamma, model.temperature) == (1.0, 1.0)


def test_gamma_sharpens_the_choice_out_of_training() -> None:
    writers = Writers(Model(templates=("square", "circle"), gamma=1.0, gamma_test=30.0), 4, 2, 1)
    features = torch.randn(3, 4)
    soft = writers(features).which
    sharp = writers.eval()(features).which
    assert torch.allclose(sharp, soft**30 / (soft**30).sum(-1, keepdim=True), atol=1e-5)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"moves": 0}, "moves"),
        ({"kind": "canvas-recurrent", "order": "soft"}, "order"),
        ({"order": "soft", "temperature": 0.0}, "temperature"),
        ({"order": "soft", "temperature": 1e-31}, "temperature 1e-31: expected at least 1e-30"),
        ({"sigma": 0.5}, "latent"),
        ({"beta": -1.0}, "beta"),
        ({"kind": "air", "input_noise": 0.1}, "input-noise"),
        ({"kind": "draw", "layers": 2}, "layers"),
        ({"kind": "recurrent", "batch_norm": True}, "batch-norm"),
        ({"gamma_test": 0.0}, "gamma-test"),
        ({"templates": ("square", "blob")}, "blob"),
        ({"templates": ()}, "templates"),
        ({"kind": "draw", "phi0": 3.0}, "phi0 3.0 is of no use to kind draw"),
        ({"kind": "draw", "learn_templates": "drawn"}, "learn-templates drawn is of no use to kind draw"),
        ({"gamma": 2.0}, "gamma 2.0 is of no use where strokes do not choose"),
        ({"kind": "recurrent", "apart": "moves"}, "apart moves is of no use to kind recurrent"),
        ({"apart": "components", "latent": 3}, "apart components is of no use with --model.latent"),
        ({"kind": "draw", "templates": ("square", "circle"), "noise": 0.1}, "noise 0.1 is of no use where strokes"),
        ({"order": "evidence", "temperature": 0.5}, "temperature 0.5 is of no use without a learnt order"),
        ({"order": "soft", "moves": 129}, "moves 129: an order of at most 128 moves can be learnt"),
        ({"anneal": 100}, "anneal 100 is of no use without a learnt order"),
        ({"order": "soft", "anneal": 100}, "anneal 100 is of no use without another --model.temperature-end"),
        ({"latent": 4, "sigma": 0.0, "free_bits": 0.1}, "free-bits 0.1 is of no use with .* --model.sigma 0"),
        ({"order": "soft", "temperature_end": 0.1}, "temperature-end 0.1 is of no use without .* --model.anneal"),
        ({"latent": 4, "sigma": 0.5, "sigma_start": 0.1}, "sigma-start 0.1 is of no use where --model.sigma"),
        ({"latent": 4, "latent_cost": "mu", "free_bits": 0.1}, "free-bits 0.1 is of no use with .* mu"),
        ({"latent": 4, "latent_cost": "none", "beta": 2.0}, "beta 2.0 is of no use with .* none"),
        ({"kind": "t-draw", "window_size": 0.4}, "window-size 0.4 is of no use to kind t-draw"),
        ({"likelihood": "ce", "margin": 0.0}, "margin 0.0: expected a number above 0 and below 0.5"),
        ({"likelihood": "ce", "margin": 0.5}, "margin 0.5: expected a number above 0 and below 0.5"),
        ({"margin": 0.01}, "margin 0.01 is of no use with --model.likelihood mse"),
        ({"latent": 4, "prior_where": 0.4}, "prior-where 0.4 is of no use to kind simple"),
    ],
)
def test_settings_that_make_no_sense(options: dict, word: str) -> None:
    with pytest.raises(UserError, match=word):
        build(Model(**options), SIZE, 1)


def test_a_setting_is_of_use_to_all_models_or_refused_by_others() -> None:
    told = {name for names, _, _ in USES for name in names.split()}
    of_all = {"kind", "moves", "templates", "hidden", "affine", "init", "likelihood", "latent", "window"}
    assert {field.name for field in fields(Model)} - told == of_all


NUMBERS = {name: type(value) for name, value in vars(Model()).items() if type(value) in (int, float)}


@pytest.mark.parametrize("name", sorted(NUMBERS.keys() - {"phi0"}))
def test_every_number_but_phi0_has_a_least(name: str) -> None:
    with pytest.raises(UserError, match=rf"--model\.{name.replace('_', '-')} -5(\.0)?: expected"):
        check(replace(Model(), **{name: NUMBERS[name](-5)}))


def test_a_denoising_painter_orders_its_moves_by_the_image_that_it_is_shown() -> None:
    model, images = painter("simple", order="evidence", input_noise=1.0, phi0=0.5), torch.rand(20, 1, *SIZE)
    torch.manual_seed(1)
    strokes = model(images).strokes
    torch.manual_seed(1)
    seen = images + torch.randn_like(images)
    assert torch.equal(strokes.depth, by_evidence(seen, strokes, model.bank))
    assert not torch.equal(strokes.depth, by_evidence(images, strokes, model.bank))


@pytest.mark.parametrize("order", ["fixed", "soft", "straight-through", "evidence"])
def test_any_order_works_in_double_precision(order: str) -> None:
    output = painter("simple", order=order).double().eval()(torch.rand(2, 1, *SIZE, dtype=torch.float64))
    assert output.canvas.dtype == torch.float64


def test_a_sigma_is_given_or_learnt() -> None:
    with pytest.raises(UserError, match=r"--model\.sigma -0\.3: expected 0 or more, or -1"):
        build(Model(latent=4, sigma=-0.3), SIZE, 1)


@pytest.mark.parametrize("order", ["fixed", "soft", "straight-through", "evidence"])
def test_a_decoder_that_is_shown_the_image_has_no_bound(order: str) -> None:
    output = painter("simple", order=order, latent=8, likelihood="ce")(torch.rand(2, 1, *SIZE))
    assert (output.log_weight is None) == (order == "evidence")


@pytest.mark.parametrize("setting", [{"beta": 0.5}, {"free_bits": 0.1}, {"latent_cost": "none"}])
def test_the_cost_of_a_code_needs_a_code(setting: dict[str, Any]) -> None:
    for kind in ("simple", "autoencoder"):
        with pytest.raises(
            UserError, match=r"--model\.\S+ \S+ is of no use without a latent code: give --model\.latent"
        ):
            build(Model(kind=kind, **setting), SIZE, 1)
        build(Model(kind=kind, latent=4, **setting), SIZE, 1)
    build(Model(kind="t-draw", **setting), SIZE, 1)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"kind": "foo"}, "--model.kind foo: expected one of simple, recurrent"),
        ({"order": "depth"}, "--model.order depth: expected one of fixed, soft"),
        ({"latent_cost": "kl"}, "--model.latent-cost kl: expected one of full, mu, none"),
        ({"likelihood": "bce"}, "--model.likelihood bce: expected one of mse, ce"),
    ],
)
def test_words_that_are_misspelt_are_refused(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        build(Model(**setting), SIZE, 1)


@pytest.mark.parametrize("moves", [1, 2])
def test_every_weight_of_a_canvas_recurrent_painter_learns(moves: int) -> None:
    """Weights without a gradient stop training in several processes."""
    model = build(Model(kind="canvas-recurrent", moves=moves), SIZE, 1)
    model(torch.rand(3, 1, *SIZE)).losses["reconstruction"].sum().backward()
    assert all(weight.grad is not None for weight in model.parameters())


def test_a_denoising_painter_is_scored_by_the_clean_image() -> None:
    model, images = painter("simple", input_noise=0.5), torch.rand(4, 1, *SIZE)
    output = model(images)
    clean = (images - output.canvas).square().flatten(1).sum(1)
    assert torch.allclose(output.losses["reconstruction"], clean, rtol=1e-5)


def test_a_canvas_recurrent_painter_sees_all_moves_so_far() -> None:
    model, seen = painter("canvas-recurrent"), []
    model.encoder.register_forward_pre_hook(lambda _, given: seen.append(given[3]))
    strokes = model(torch.rand(2, 1, *SIZE)).strokes
    assert seen[0] is None
    for moves in (1, 2):
        assert torch.allclose(seen[moves], render(strokes[:, :moves], model.bank, SIZE), atol=1e-6)


def test_what_a_painter_sees_of_its_canvas_teaches_the_moves_on_it() -> None:
    model, seen = painter("canvas-recurrent"), []
    model.encoder.by_canvas.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    last = model(torch.rand(2, 1, *SIZE)).strokes.what[:, -1].sum()
    assert len(seen) == 2
    for slope in torch.autograd.grad(last, seen):
        assert slope.any()
    assert all(canvas.requires_grad for canvas in seen)


def test_gamma_may_start_beyond_where_growth_ends() -> None:
    model = Model(gamma=50.0, gamma_rate=1.0, templates=("square", "circle"))
    assert [model.gamma_at(iteration) for iteration in (0, 10)] == [50, 50]


def test_convolutions_need_images_that_they_fit_on() -> None:
    model = Model(kind="conv", hidden=16)
    assert build(model, (13, 20), 1)(torch.rand(2, 1, 13, 20)).canvas.shape == (2, 1, 13, 20)
    with pytest.raises(UserError, match="at least 13 pixels a side, not 12"):
        build(model, (20, 12), 1)


def test_straight_through_paints_the_hard_order_and_learns_the_soft_one() -> None:
    """Both moves lie in the middle, the first in front."""
    model = painter("simple", order="straight-through", temperature=0.5)
    strokes = replace(
        model(torch.rand(2, 1, *SIZE)).strokes,
        where=(1.5 * torch.eye(2, 3)).expand(2, 3, 2, 3),
        what=torch.tensor([0.2, 0.9, 0.5]).view(1, 3, 1).expand(2, -1, -1),
        depth=torch.tensor([[0.5, 0.2, 0.1]] * 2).requires_grad_(),
    )
    canvas = model.paint(strokes)
    hard = render(strokes, model.bank, SIZE, compositing="depth")
    assert torch.allclose(canvas, hard, atol=1e-6)
    (slope,) = torch.autograd.grad(canvas.sum(), strokes.depth)
    assert slope.any()


@pytest.mark.parametrize("kind", ["simple", "conv"])
def test_batches_are_normalised_before_what_is_negative_is_cut_off(kind: str) -> None:
    model = painter(kind, batch_norm=True)
    features = model.encoder(torch.rand(8, 1, *SIZE))
    assert (features >= 0).all()
    assert 0.2 < (features == 0).float().mean() < 0.8


def test_looking_at_a_model_needs_no_gradients() -> None:
    model = painter("simple")
    with evaluating(model):
        assert not model.training
        assert not model(torch.rand(1, 1, *SIZE)).canvas.requires_grad
    assert model.training
    assert model(torch.rand(1, 1, *SIZE)).canvas.requires_grad


def test_what_a_pointing_encoder_computes_step_by_step() -> None:
    """Places are those of the pixels of a canvas as small as the maps."""
    torch.manual_seed(0)
    encoder = Pointing(Model(kind="pointing", hidden=7), 3).double()
    images, canvas = torch.rand(2, 2, 3, 6, 8, dtype=torch.float64)
    features, place = encoder(images, canvas)
    found = encoder.look(torch.cat([images, canvas], 1))
    assert found.shape == (2, 16, 3, 4)
    for each in range(2):
        scores = [
            (found[each, :, row, column] @ encoder.score.weight.flatten() + encoder.score.bias).item()
            for row in range(3)
            for column in range(4)
        ]
        total = sum(map(math.exp, scores))
        x = y = 0.0
        there = torch.zeros(16, dtype=torch.float64)
        for k, score in enumerate(scores):
            row, column, share = k // 4, k % 4, math.exp(score) / total
            x, y = x + share * ((2 * column + 1) / 4 - 1), y + share * ((2 * row + 1) / 3 - 1)
            there += share * found[each, :, row, column]
        assert place[each].tolist() == pytest.approx([x, y])
        seen = torch.cat([there, found[each].mean((1, 2))])
        torch.testing.assert_close(features[each], encoder.hidden(seen))


@pytest.mark.parametrize("order", ["fixed", "soft"])
def test_a_pointing_painter_sees_what_is_left_and_paints_around_where_it_points(order: str) -> None:
    model, seen, places = painter("pointing", order=order), [], []
    model.encoder.register_forward_pre_hook(lambda _, given: seen.append(given[1]))
    model.encoder.register_forward_hook(lambda _, given, found: places.append(found[1]))
    images = torch.rand(2, 1, *SIZE)
    strokes = model(images).strokes
    for moves in range(3):
        wanted = model.paint(strokes[:, :moves]) if moves else torch.zeros_like(images)
        assert torch.allclose(seen[moves], wanted, atol=1e-6)
        assert not seen[moves].requires_grad  # what is seen of the canvas is not a way for gradients
        scores = model.writers.scores(model.encoder(images, seen[moves])[0])
        frame = scores[:, :6].view(2, 2, 3) + 2 * torch.eye(2, 3)
        by = frame[..., 2] - (frame[..., :2] @ places[moves][..., None])[..., 0]
        assert torch.allclose(strokes.where[:, moves, :, :2], frame[..., :2], atol=1e-5)
        assert torch.allclose(strokes.where[:, moves, :, 2], by, atol=1e-5)


@pytest.mark.parametrize("kind", IN_TURN)
def test_painters_that_give_one_move_a_step_give_more_of_them_out_of_training(kind: str) -> None:
    model, images = painter(kind, moves_test=5), torch.rand(2, 1, *SIZE)
    few = model(images).strokes
    many = model.eval()(images).strokes
    assert (len(few), len(many)) == (3, 5)
    assert torch.allclose(many.where[:, :3], few.where, atol=1e-6)
    assert not torch.allclose(many.where[:, 3], many.where[:, 4], atol=1e-4)
    model.settings = replace(model.settings, moves_test=0)
    assert len(model(images).strokes) == 3


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "simple", "moves_test": 4},
        {"kind": "pointing", "moves_test": -1},
        {"kind": "pointing", "moves_test": 10_001},
        {"kind": "canvas-recurrent", "moves": 1, "moves_test": 2},
    ],
)
def test_moves_out_of_training_are_of_use_and_a_number(given: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"--model\.moves-test"):
        build(Model(**given), SIZE, 1)


@pytest.mark.parametrize("kind", PAINTERS)
def test_a_greedy_painter_is_scored_by_what_each_move_leaves_ever_less(kind: str) -> None:
    model, images = painter(kind, greedy=100), torch.rand(2, 1, *SIZE)
    strokes = model(images).strokes
    left = [(images - render(strokes[:, : t + 1], model.bank, SIZE)).square().flatten(1).sum(1) for t in range(3)]
    for iteration, weight in ((0, 1), (25, 0.75), (100, 0), (1000, 0)):
        model.schedule(iteration)
        losses = model(images).losses
        assert torch.allclose(losses["reconstruction"], left[2], rtol=1e-5)
        assert list(losses) == ["reconstruction", "greedy"]
        assert torch.allclose(losses["greedy"], weight * (left[0] + left[1]), rtol=1e-5)
    model.schedule(0)
    model(images).losses["greedy"].sum().backward()
    assert all(weight.grad is not None for weight in model.parameters())
    assert list(model.eval()(images).losses) == ["reconstruction"]


@pytest.mark.parametrize("given", [{"kind": "draw"}, {"order": "soft"}, {"moves": 1}, {"likelihood": "optimal-sigma"}])
def test_greed_is_of_painters_of_a_fixed_order(given: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"--model\.greedy 5 is of no use but to painters of several moves in a fixed"):
        build(Model(greedy=5, **given), SIZE, 1)


def test_a_greedy_denoising_painter_is_scored_by_the_clean_image() -> None:
    model, images = painter("simple", input_noise=0.5, greedy=10), torch.rand(4, 1, *SIZE)
    output = model(images)
    left = [(images - render(output.strokes[:, : t + 1], model.bank, SIZE)).square().sum((1, 2, 3)) for t in (0, 1)]
    assert torch.allclose(output.losses["greedy"], left[0] + left[1], rtol=1e-5)
