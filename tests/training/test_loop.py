"""The loop on a small painter: resuming, stopping, and what it does when something goes wrong."""

import io
import math
import os
import signal
import subprocess
import sys
import threading
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from numba.core import event
from PIL import Image
from safetensors.torch import load_file, save_file

from limner.data.images import Images
from limner.errors import Stopped, UserError
from limner.models.build import build
from limner.models.painter import Painter
from limner.models.settings import Model
from limner.tables import GAP
from limner.training import keeping, loop, record
from limner.training.batches import Batches
from limner.training.checkpoints import iterations_done, load_checkpoint, load_weights
from limner.training.loop import train
from limner.training.settings import CHECKPOINT, Training
from limner.waiting import COMPILING

SETTINGS = Training(iterations=60, batch=10, checkpoint_every=20, picture_every=0, drop_at=30, warp=0.05, mirror=True)
MODEL = Model(hidden=8, latent=4, templates=("square", "circle"), noise=0.1, input_noise=0.1, batch_norm=True)


def images(count: int = 64) -> Images:
    pixels = torch.randint(0, 256, (count, 1, 12, 12), generator=torch.Generator().manual_seed(0))
    return Images(pixels.to(torch.uint8))


def painter(**options) -> Painter:
    torch.manual_seed(7)
    model = build(replace(MODEL, **options), (12, 12), 1)
    assert isinstance(model, Painter)
    return model


def trained(run: Path, settings: Training = SETTINGS, **options) -> dict[str, torch.Tensor]:
    run.mkdir(exist_ok=True)
    model = painter(**options)
    train(model, images(), settings, run, quiet=True)
    return {name: tensor.cpu().clone() for name, tensor in model.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_training_lowers_the_loss_and_leaves_weights_losses_and_a_picture(tmp_path: Path) -> None:
    weights = trained(tmp_path, replace(SETTINGS, iterations=200, rate=1e-2), noise=0.0, input_noise=0.0, latent=0)
    losses = record.read(tmp_path / "metrics.jsonl")
    assert losses["iteration"] == list(range(1, 201))
    assert sum(losses["loss"][-20:]) < 0.8 * sum(losses["loss"][:20])
    assert losses["loss"] == losses["reconstruction"]
    assert (tmp_path / "painting-000200.png").exists()
    again = painter(latent=0)
    load_weights(tmp_path / "weights.safetensors", again)
    assert same(again.state_dict(), weights)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_says_that_kernels_are_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forward = Painter.forward

    def compiling(self: Painter, batch: torch.Tensor):
        with event.trigger_event("numba:compile"):
            return forward(self, batch)

    monkeypatch.setattr(Painter, "forward", compiling)
    monkeypatch.setattr(sys, "stderr", shown := Terminal())
    train(painter(), images(), replace(SETTINGS, iterations=2, drop_at=0), tmp_path)
    assert COMPILING in shown.getvalue()


def test_nobody_need_look_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    train(painter(), images(), replace(SETTINGS, iterations=2, drop_at=0), tmp_path)
    assert (tmp_path / "weights.safetensors").exists()


def test_gradients_are_clipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    norms: list[float] = []

    def noted(optimiser: torch.optim.Adam, *args) -> None:
        weights = [weight for group in optimiser.param_groups for weight in group["params"]]
        norms.append(float(torch.stack([weight.grad.norm() for weight in weights if weight.grad is not None]).norm()))

    monkeypatch.setattr(torch.optim.Adam, "step", noted)
    for clip in (0.0, 1e-3):
        (tmp_path / f"{clip}").mkdir()
        train(painter(), images(), replace(SETTINGS, iterations=3, clip=clip), tmp_path / f"{clip}", quiet=True)
    free, clipped = norms[:3], norms[3:]
    assert min(free) > 1e-2
    assert clipped == pytest.approx([1e-3] * 3, rel=1e-3)


def test_resumed_after_kill_is_bit_for_bit_the_uninterrupted_run(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    wanted = trained(whole)
    cut.mkdir()
    script = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import test_loop
from limner.training import loop
seed_noise = loop.seed_noise
def dying(seed, iteration, process=0):
    if iteration == 53:
        os.kill(os.getpid(), signal.SIGKILL)
    seed_noise(seed, iteration, process)
loop.seed_noise = dying
test_loop.trained(test_loop.Path({str(cut)!r}))
"""
    done = subprocess.run([sys.executable, "-c", script], env=os.environ | {"OMP_NUM_THREADS": "1"}, check=False)
    assert done.returncode == -signal.SIGKILL
    assert iterations_done(cut / "checkpoint.safetensors") == 40
    assert not (cut / "painting-000060.png").exists()
    with (cut / "metrics.jsonl").open("a") as file:
        file.write('{"iteration": 41, "loss": 1.0, "reconstruction": 1.0, "latent": 0.0}\n{"iteration": 42, "lo')
    assert same(trained(cut), wanted)
    assert (cut / "metrics.jsonl").read_bytes() == (whole / "metrics.jsonl").read_bytes()


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stopping_saves_and_resuming_ends_as_if_nothing_had_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    seed_noise = loop.seed_noise

    def interrupting(seed: int, iteration: int, process: int = 0) -> None:
        if iteration == 33:
            os.kill(os.getpid(), number)
        seed_noise(seed, iteration, process)

    before = signal.getsignal(number)
    with monkeypatch.context() as patch:
        patch.setattr(loop, "seed_noise", interrupting)
        with pytest.raises(Stopped, match="iteration 33 of 60"):
            trained(tmp_path / "stopped")
    assert signal.getsignal(number) is before
    assert iterations_done(tmp_path / "stopped" / "checkpoint.safetensors") == 33
    assert same(trained(tmp_path / "stopped"), trained(tmp_path / "whole"))


@pytest.mark.parametrize("before", [False, True])
def test_tiny_numbers_are_zero_in_training_and_as_before_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    def tiny() -> float:
        return float(torch.tensor(1e-38) * torch.tensor(0.1))

    class Painted(torch.autograd.Function):
        """Nothing is changed, and both passes look."""

        @staticmethod
        def forward(ctx, canvas):
            seen.append(tiny())
            return canvas.clone()

        @staticmethod
        def backward(ctx, grad):  # pyright: ignore[reportIncompatibleMethodOverride]
            if not grad.is_cuda:  # else this thread only tells the GPU what to do
                seen.append(tiny())
            return grad

    forward, seen = Painter.forward, []

    def looking(self: Painter, batch: torch.Tensor):
        output = forward(self, batch)
        if not self.training:  # pictures, which are painted before and after the iterations too
            return output
        return replace(output, losses={name: Painted.apply(each) for name, each in output.losses.items()})

    monkeypatch.setattr(Painter, "forward", looking)
    torch.set_flush_denormal(before)
    try:
        trained(tmp_path, replace(SETTINGS, iterations=2, drop_at=0))
        assert len(seen) >= 4
        assert set(seen) == {0.0}
        assert (tiny() == 0) is before
    finally:
        torch.set_flush_denormal(False)


def test_not_a_number_stops_names_the_iteration_and_keeps_the_last_good_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = replace(SETTINGS, iterations=40)
    wanted = trained(tmp_path, good)
    kept = (tmp_path / "checkpoint.safetensors").read_bytes()
    forward = Painter.forward

    def spoilt(self: Painter, batch: torch.Tensor):
        output = forward(self, batch)
        return replace(output, losses={**output.losses, "latent": output.losses["latent"] / 0 * 0})

    with monkeypatch.context() as patch:
        patch.setattr(Painter, "forward", spoilt)
        with pytest.raises(UserError, match=r"no longer a number in iteration 41.*checkpoint.*is kept"):
            trained(tmp_path)
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == kept
    assert record.read(tmp_path / "metrics.jsonl")["iteration"] == list(range(1, 41))
    assert not same(trained(tmp_path), wanted)


def test_losses_from_before_it_was_no_number_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forward, calls = Painter.forward, 0

    def spoilt(self: Painter, batch: torch.Tensor):
        nonlocal calls
        calls += 1
        output = forward(self, batch)
        spoils = math.nan if calls == 8 else 1.0
        return replace(output, losses={name: each * spoils for name, each in output.losses.items()})

    monkeypatch.setattr(Painter, "forward", spoilt)
    with pytest.raises(UserError, match="in iteration 8; start again with a lower"):
        trained(tmp_path)
    assert record.read(tmp_path / "metrics.jsonl")["iteration"] == list(range(1, 8))


def test_losses_from_before_a_picture_that_cannot_be_painted_are_kept(tmp_path: Path) -> None:
    settings = replace(SETTINGS, drop_at=6, rate_after=1e30, picture_every=7)
    with pytest.raises(UserError, match="no longer a number in iteration 7"):
        trained(tmp_path, settings, noise=0.0, latent=0, batch_norm=False)
    assert record.read(tmp_path / "metrics.jsonl")["iteration"] == list(range(1, 8))


def test_moves_that_overflow_are_told_like_a_loss_that_is_no_number(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no longer a number in iteration 2;.*lower --training.rate"):
        trained(tmp_path, replace(SETTINGS, rate=1e30, drop_at=0), noise=0.0, latent=0, batch_norm=False)


@pytest.mark.parametrize("likelihood", ["ce", "ce-squeezed", "flip"])
@pytest.mark.parametrize("kind", ["autoencoder", "draw"])
def test_a_canvas_without_strokes_that_overflows_is_told_so_too(kind: str, likelihood: str, tmp_path: Path) -> None:
    model = Model(kind, hidden=8, likelihood=likelihood, window=4, moves=2)  # pyright: ignore[reportArgumentType]
    with pytest.raises(UserError, match=r"no longer a number in iteration \d+;.*lower --training.rate"):
        train(build(model, (12, 12), 1), images(), replace(SETTINGS, rate=1e30, drop_at=0), tmp_path, quiet=True)
    assert record.read(tmp_path / "metrics.jsonl")["iteration"]


def test_a_picture_that_cannot_be_painted_is_told_like_it_and_nothing_is_saved(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no longer a number in iteration 1; start again with a lower"):
        trained(tmp_path, replace(SETTINGS, iterations=1, rate=1e30, drop_at=0), noise=0.0, latent=0, batch_norm=False)
    assert not (tmp_path / "checkpoint.safetensors").exists()


def test_a_picture_that_cannot_be_written_costs_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "painting-000004.png").mkdir()
    settings = replace(SETTINGS, iterations=4, drop_at=0)
    with pytest.raises(UserError, match=r"painting-000004\.png: cannot be written: a folder has that name"):
        trained(tmp_path, settings)
    assert iterations_done(tmp_path / "checkpoint.safetensors") == 4
    assert len(record.read(tmp_path / "metrics.jsonl")["loss"]) == 4


def test_threads_are_those_asked_for_and_as_before_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    forward = Painter.forward

    def looking(self: Painter, batch: torch.Tensor):
        seen.append(torch.get_num_threads())
        return forward(self, batch)

    monkeypatch.setattr(Painter, "forward", looking)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        trained(tmp_path, replace(SETTINGS, iterations=2, drop_at=0, threads=2))
        assert set(seen) == {2}
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_others_may_read_what_is_saved(tmp_path: Path) -> None:
    trained(tmp_path, replace(SETTINGS, iterations=1, drop_at=0))
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert set(modes.values()) == {modes["metrics.jsonl"]}


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    trained(tmp_path, replace(SETTINGS, iterations=1))
    with pytest.raises(UserError, match=r"checkpoint\.safetensors: the weights are not of this model"):
        trained(tmp_path, hidden=9)


def test_a_file_that_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.safetensors").write_bytes(b"garbage")
    with pytest.raises(UserError, match=r"checkpoint\.safetensors: no weights can be read"):
        trained(tmp_path)


def test_weights_alone_are_no_checkpoint(tmp_path: Path) -> None:
    trained(tmp_path, replace(SETTINGS, iterations=20))
    (tmp_path / "checkpoint.safetensors").write_bytes((tmp_path / "weights.safetensors").read_bytes())
    with pytest.raises(UserError, match=r"checkpoint\.safetensors: "):
        trained(tmp_path)
    with pytest.raises(UserError, match="is no checkpoint: it does not say how many iterations"):
        iterations_done(tmp_path / "checkpoint.safetensors")


def test_fewer_iterations_than_none_are_no_number_of_them(tmp_path: Path) -> None:
    trained(tmp_path, replace(SETTINGS, iterations=20))
    path = tmp_path / "checkpoint.safetensors"
    save_file(load_file(path), path, {"iteration": "-20"})
    with pytest.raises(UserError, match="is no checkpoint: it does not say how many iterations"):
        trained(tmp_path)


def spoilt(memory: dict[str, torch.Tensor], how: str) -> dict[str, torch.Tensor]:
    """A checkpoint less all that Adam remembers, or with a field of it lost, misnamed, of another shape or too many."""
    name = "optimiser.0.exp_avg"
    if how == "none":
        return {key: tensor for key, tensor in memory.items() if not key.startswith("optimiser.")}
    others = {key: tensor for key, tensor in memory.items() if key != name}
    more = {"lost": {}, "misnamed": {"optimiser.0.exp_awg": memory[name]}, "flat": {name: memory[name].flatten()}}
    return {**others, **(more[how] if how in more else {name: memory[name], "optimiser.999.step": torch.ones(())})}


@pytest.mark.parametrize("how", ["none", "lost", "misnamed", "flat", "too many"])
def test_what_adam_remembers_is_all_there(how: str, tmp_path: Path) -> None:
    trained(tmp_path, replace(SETTINGS, iterations=20))
    path = tmp_path / "checkpoint.safetensors"
    save_file(spoilt(load_file(path), how), path, {"iteration": "20"})
    with pytest.raises(UserError, match=r"checkpoint\.safetensors: is damaged: .* train anew"):
        trained(tmp_path)


def test_lost_losses_are_noticed(tmp_path: Path) -> None:
    trained(tmp_path, replace(SETTINGS, iterations=20))
    (tmp_path / "metrics.jsonl").write_text("")
    with pytest.raises(UserError, match="not all there"):
        trained(tmp_path)


@pytest.mark.parametrize("line", [b"garbage", b"[1]", b'{"a": 1}', b'{"iteration": 21, "loss": "x"}', b"\xff\xfe"])
def test_a_spoilt_line_of_losses_is_named(line: bytes, tmp_path: Path) -> None:
    trained(tmp_path, replace(SETTINGS, iterations=20))
    with (tmp_path / "metrics.jsonl").open("ab") as file:
        file.write(line + b"\n")
    with pytest.raises(UserError, match=r"metrics\.jsonl: line 21"):
        trained(tmp_path)


def test_full_disk_is_told_and_leaves_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained(tmp_path, replace(SETTINGS, iterations=20))
    kept = (tmp_path / "checkpoint.safetensors").read_bytes()

    def full(*_) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UserError, match="disk is full"):
        trained(tmp_path)
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == kept


@pytest.mark.parametrize(("found", "used"), [(None, "cpu"), ("mps", "cpu"), ("cuda", "cuda"), ("xpu", "xpu")])
def test_gpus_without_double_precision_are_left_alone(
    found: str | None, used: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: found is not None)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: torch.device(found or "cpu"))
    assert loop.device() == torch.device(used)


def test_rate_falls_once() -> None:
    settings = Training(rate=1e-3, drop_at=30, rate_after=1e-4)
    assert [settings.rate_at(iteration) for iteration in (0, 29, 30, 31)] == [1e-3, 1e-3, 1e-4, 1e-4]
    assert Training(drop_at=0).rate_at(10**6) == 1e-3


def test_processes_share_out_a_batch_and_draw_noise_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[torch.Tensor]] = [[], []]
    monkeypatch.setattr(Accelerator, "num_processes", 2)
    monkeypatch.setattr(Accelerator, "reduce", lambda self, tensor, *_: tensor)
    for process in (0, 1):
        monkeypatch.setattr(Accelerator, "process_index", process)
        monkeypatch.setattr(loop, "warped", lambda each, *_, p=process: seen[p].extend((each, torch.rand(1))) or each)
        run = tmp_path / str(process)
        run.mkdir()
        train(painter(noise=0.0), images(20), replace(SETTINGS, iterations=1), run, quiet=True)
    (first, noise), (second, other) = seen
    assert len(first) == len(second) == 5
    assert len(torch.cat([first, second]).flatten(1).unique(dim=0)) == 10
    assert noise != other


def test_the_learning_rate_drops_after_its_iteration(tmp_path: Path) -> None:
    once = replace(SETTINGS, iterations=1, drop_at=0)
    steady = trained(tmp_path / "steady", once)
    assert same(trained(tmp_path / "after", replace(once, drop_at=1, rate_after=0.5)), steady)
    twice = replace(once, iterations=2)
    assert not same(
        trained(tmp_path / "drop", replace(twice, drop_at=1, rate_after=0.5)), trained(tmp_path / "twice", twice)
    )


def test_iterations_count_from_0(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[torch.Tensor] = []
    numbers: list[int] = []
    monkeypatch.setattr(loop, "warped", lambda each, *_: shown.append(each) or each)
    monkeypatch.setattr(Painter, "schedule", lambda _, iteration: numbers.append(iteration))
    pictures, batches = images(20), Batches(20, SETTINGS.batch, SETTINGS.seed)
    train(painter(), pictures, replace(SETTINGS, iterations=2), tmp_path, quiet=True)
    assert numbers == [0, 1]
    for number, each in enumerate(shown):
        assert torch.equal(each.cpu(), pictures[batches[number]].ink())


def test_a_loss_is_the_mean_over_the_images_of_a_batch(tmp_path: Path) -> None:
    plain = {"latent": 0, "noise": 0.0, "input_noise": 0.0, "batch_norm": False}
    model, pictures = painter(**plain), images(20)
    with torch.no_grad():
        each = model(pictures[Batches(20, 10, 3)[0]].ink()).losses["reconstruction"]
    train(model, pictures, Training(iterations=1, batch=10, seed=3), tmp_path, quiet=True)
    assert record.read(tmp_path / "metrics.jsonl")["loss"] == [pytest.approx(float(each.sum() / 10), rel=1e-5)]


def test_settings_of_training_reach_what_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple] = []
    monkeypatch.setattr(loop, "warped", lambda each, *how: given.append(how) or each)
    monkeypatch.setattr(
        torch.optim.Adam, "step", lambda adam, *_: given.extend((it["lr"], it["betas"]) for it in adam.param_groups)
    )
    settings = replace(SETTINGS, iterations=1, rate=0.02, betas=(0.3, 0.4))
    train(painter(), images(), settings, tmp_path, quiet=True)
    assert given == [(0.05, True), (0.02, (0.3, 0.4))]


def test_files_of_a_run_do_not_hang_on_the_locale(tmp_path: Path) -> None:
    code = (
        "import warnings; from pathlib import Path; from limner.training.record import Record, read\n"
        "from limner.experiments import trained\n"
        "warnings.simplefilter('error', EncodingWarning)\n"
        "record = Record(Path('losses.jsonl')); record.add(1, {'loss': 0.5}); record.flush()\n"
        "print(read(record.path)['loss'], trained.read(Path('mnist')).channels)"
    )
    command = [sys.executable, "-X", "warn_default_encoding", "-c", code]
    said = subprocess.run(command, cwd=tmp_path, env=dict(os.environ), capture_output=True, text=True, check=False)
    assert said.stdout == "[0.5] 1\n", said.stderr


def test_nothing_of_a_checkpoint_is_mapped_once_it_is_read(tmp_path: Path) -> None:
    """Else Windows could not replace it. What is mapped changes with the file."""
    trained(tmp_path)
    model, path = painter(), tmp_path / CHECKPOINT
    optimiser = torch.optim.Adam(model.parameters())
    load_checkpoint(path, model, optimiser)
    before = [tensor.clone() for memory in optimiser.state.values() for tensor in memory.values()]
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
    after = [tensor for memory in optimiser.state.values() for tensor in memory.values()]
    assert all(map(torch.equal, before, after))


def test_pictures_and_checkpoints_come_as_often_as_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[int] = []
    monkeypatch.setattr(keeping, "save_checkpoint", lambda *given: saved.append(given[-1]))
    trained(tmp_path, replace(SETTINGS, iterations=7, picture_every=2, checkpoint_every=3))
    assert saved == [3, 6, 7]
    pictures = sorted(tmp_path.glob("*.png"))
    assert [path.name for path in pictures] == [f"painting-00000{number}.png" for number in (2, 4, 6, 7)]
    with Image.open(pictures[0]) as picture:
        assert picture.size == (GAP + 3 * (12 + GAP), GAP + 8 * (12 + GAP))


@pytest.mark.parametrize("every", [2, 0])
def test_weights_that_are_no_numbers_are_not_saved(every: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A finite loss may have a gradient that is none; no picture shows it, nor is there another iteration."""
    step = torch.optim.Adam.step

    def spoiling(adam: torch.optim.Adam, *given) -> None:
        step(adam, *given)
        done.append(len(done))
        if len(done) == 2:
            adam.param_groups[0]["params"][-1].data.fill_(math.nan)

    done: list[int] = []
    monkeypatch.setattr(torch.optim.Adam, "step", spoiling)
    monkeypatch.setattr(keeping, "painting_process", lambda *_: None)
    with pytest.raises(UserError, match="no longer a number in iteration 2; start again with a lower"):
        trained(tmp_path, replace(SETTINGS, iterations=2 + every, checkpoint_every=every))
    assert not (tmp_path / "checkpoint.safetensors").exists()


def test_one_process_that_is_told_to_stop_stops_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    accelerator, asked, others = Accelerator(cpu=True), threading.Event(), [0.0, 0.0]
    monkeypatch.setattr(Accelerator, "num_processes", 3)
    monkeypatch.setattr(Accelerator, "reduce", lambda _, word, how: {"sum": word + sum(others), "mean": word}[how])
    assert not loop._agreed(accelerator, asked, 100)
    others[1] = 1.0
    assert loop._agreed(accelerator, asked, 100)
    others[1] = 0.0
    asked.set()
    assert [loop._agreed(accelerator, asked, iteration) for iteration in (99, 100)] == [False, True]


def test_losses_are_shown_where_and_when_they_were_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Board(nullcontext):
        def add_scalar(self, *scalar: object) -> None:
            shown.append(scalar)

    shown: list[tuple] = []
    monkeypatch.setattr(loop, "LOG_EVERY", 2)
    monkeypatch.setattr(loop, "_board", lambda *_: Board())
    trained(tmp_path, replace(SETTINGS, iterations=5, tensorboard=True), latent=0)
    losses = record.read(tmp_path / "metrics.jsonl")
    names = ("loss", "reconstruction")
    assert shown == [(name, losses[name][place - 1], place) for place in (2, 4, 5) for name in names]


def test_losses_of_iterations_that_are_done_again_are_not_shown_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SummaryWriter(nullcontext):
        def __init__(self, folder: str, purge_step: int | None = None) -> None:
            super().__init__()
            opened.append((folder, purge_step))

        def add_scalar(self, *_: object) -> None:
            pass

    opened: list[tuple] = []
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", SimpleNamespace(SummaryWriter=SummaryWriter))
    for iterations in (2, 4):
        trained(tmp_path, replace(SETTINGS, iterations=iterations, drop_at=0, tensorboard=True))
    assert opened == [(str(tmp_path / "tensorboard"), first) for first in (1, 3)]
