"""Which settings a model has a use for; others, which would change nothing, are refused.

Sizes (moves, hidden, latent, window), templates and affine are never refused: one wants to set them whatever kind is
put into an experiment.
"""

from collections.abc import Callable

from limner.errors import UserError
from limner.models.settings import AIR, DRAW, IN_TURN, PAINTERS, RECURRENT, Model, given


def normalises(model: Model) -> bool:
    """Whether there are layers that a batch can be normalised in."""
    return model.kind not in (*DRAW, "pointing") and (model.kind not in RECURRENT or model.layers > 1)


def chooses(model: Model) -> bool:
    """Whether strokes have a choice of templates."""
    return paints(model) and len(model.templates) > 1


def paints(model: Model) -> bool:
    """Whether there are templates."""
    return model.kind in (*PAINTERS, "t-draw", "t-air")


def orders(model: Model) -> bool:
    """Whether strokes may lie in another order than they are given in."""
    return model.kind in PAINTERS and model.kind != "canvas-recurrent"


def greedy(model: Model) -> bool:
    """Whether canvases on the way can be scored: the best sigma is learnt of the last ones."""
    fixed = model.kind in PAINTERS and model.order == "fixed"
    return fixed and model.moves > 1 and model.likelihood != "optimal-sigma"


def sees_all(model: Model) -> bool:
    """Whether training shows all that is seen where there are more moves."""
    return model.kind != "canvas-recurrent" or model.moves > 1


def learns_order(model: Model) -> bool:
    """Whether strokes have a depth that is learnt."""
    return model.order in ("soft", "straight-through")


def anneals(model: Model) -> bool:
    """Whether the softness of a learnt order changes."""
    return learns_order(model) and model.anneal > 0


def codes(model: Model) -> bool:
    """Whether there is a latent code."""
    return model.latent > 0 or model.kind in (*DRAW, *AIR)


def costs_kl(model: Model) -> bool:
    """Whether a latent code costs its whole KL."""
    return model.latent_cost == "full" and model.sigma != 0


USES: tuple[tuple[str, Callable[[Model], bool], str], ...] = (
    ("moves_test", lambda model: model.kind in IN_TURN, "to kind {kind}: it gives as many moves as in training"),
    ("layers", lambda model: model.kind not in ("conv", "pointing", *DRAW), "to kind {kind}: it has no such layers"),
    ("apart", lambda model: model.kind == "simple", "to kind {kind}: its moves are read from the same features"),
    ("apart", lambda model: not model.latent, "with --model.latent: all moves are read from one code"),
    ("batch_norm", normalises, "to kind {kind} without further hidden layers"),
    ("phi0", lambda model: model.kind not in ("autoencoder", "draw"), "to kind {kind}: it places nothing by Phi"),
    ("learn_templates", paints, "to kind {kind}: it has no templates"),
    ("gamma gamma_rate gamma_test noise", chooses, "where strokes do not choose among several --model.templates"),
    ("order", orders, "to kind {kind}: its order is fixed"),
    ("greedy", greedy, "but to painters of several moves in a fixed order, whose likelihood is not optimal-sigma"),
    ("moves_test", sees_all, "to kind {kind} trained with one move: it has never seen a canvas"),
    ("temperature anneal", learns_order, "without a learnt order: give --model.order soft or straight-through"),
    ("anneal", lambda model: model.temperature_end != model.temperature, "without another --model.temperature-end"),
    ("temperature_end", anneals, "without a learnt order and --model.anneal"),
    ("margin", lambda model: model.likelihood in ("ce", "ce-squeezed"), "with --model.likelihood {likelihood}"),
    ("sigma sigma_start latent_cost beta free_bits", codes, "without a latent code: give --model.latent"),
    ("sigma_start", lambda model: model.sigma < 0, "where --model.sigma is given, and not learnt"),
    ("beta free_bits", lambda model: model.latent_cost != "none", "with --model.latent-cost none"),
    ("free_bits", costs_kl, "with --model.latent-cost mu or --model.sigma 0"),
    ("input_noise", lambda model: model.kind in (*PAINTERS, "autoencoder"), "to kind {kind}"),
    ("window_size prior_where", lambda model: model.kind in AIR, "to kind {kind}"),
)
"""Settings, when there is a use for them, and where there is none."""


def check_uses(model: Model) -> None:
    """Raise UserError for a setting without use that is not as by default."""
    for names, useful, where in USES:
        for name in names.split():
            if getattr(model, name) != getattr(Model(), name) and not useful(model):
                raise UserError(f"{given(model, name)} is of no use {where.format(**vars(model))}")
