"""Image metrics, bounds, and whole evaluations."""

import math

import numpy as np
import pytest
import torch
from scipy.signal import convolve2d
from scipy.signal.windows import gaussian
from scipy.stats import multivariate_normal
from torch import Tensor, nn

from limner.data.images import Images
from limner.data.settings import Data
from limner.data.synthetic import draw
from limner.models.code import Coder
from limner.models.latent import sample
from limner.models.likelihood import CrossEntropy, SquaredError
from limner.models.output import Output
from limner.models.settings import Model
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.training import metrics
from limner.training.metrics import averages, evaluate, importance_bound, reconstruction
from limner.writer import render


def ssim_by_hand(x: np.ndarray, y: np.ndarray) -> float:
    """Wang et al. 2004 with an 11 x 11 Gaussian window, over all pixels of the image with mirrored borders."""
    window = np.outer(gaussian(11, 1.5), gaussian(11, 1.5))
    window /= window.sum()

    def smooth(image: np.ndarray) -> np.ndarray:
        return convolve2d(np.pad(image, 5, mode="reflect"), window, mode="valid")

    mx, my = smooth(x), smooth(y)
    vx, vy, vxy = smooth(x * x) - mx**2, smooth(y * y) - my**2, smooth(x * y) - mx * my
    c1, c2 = 0.01**2, 0.03**2
    return float(((2 * mx * my + c1) * (2 * vxy + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))).mean())


def test_reconstruction_by_the_formulas() -> None:
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(4, 3, 20, 24, generator=generator)
    canvas = images.lerp(torch.rand(images.shape, generator=generator), 0.3)
    found = reconstruction(images, canvas)
    for i in range(4):
        x, y = images[i].double().numpy(), canvas[i].double().numpy()
        mse = ((x - y) ** 2).mean()
        assert found["mse"][i].item() == pytest.approx(mse, rel=1e-5)
        assert found["psnr"][i].item() == pytest.approx(10 * math.log10(1 / mse), rel=1e-5)
        by_hand = np.mean([ssim_by_hand(*planes) for planes in zip(x, y, strict=True)])
        assert found["ssim"][i].item() == pytest.approx(by_hand, rel=1e-4)


def test_images_smaller_than_half_the_window_have_no_ssim() -> None:
    assert set(reconstruction(torch.rand(2, 1, 5, 9), torch.rand(2, 1, 5, 9))) == {"mse", "psnr"}
    assert set(reconstruction(torch.rand(2, 1, 6, 9), torch.rand(2, 1, 6, 9))) == {"mse", "psnr", "ssim"}


def test_an_exact_canvas() -> None:
    images = torch.rand(1, 1, 16, 16)
    found = {name: values.tolist() for name, values in reconstruction(images, images).items()}
    assert found == {"mse": [0.0], "psnr": [pytest.approx(100.0)], "ssim": [pytest.approx(1.0)]}


class LinearGaussian(nn.Module):
    """z ~ N(0, 1), x ~ N(W z, noise^2), and q(z | x) the exact posterior but for `error` on its mean and log sigma."""

    bank = None

    def __init__(self, error: float) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        columns, _ = torch.linalg.qr(torch.randn(144, 3, generator=generator))
        self.weights = columns * torch.tensor([1.0, 2.0, 3.0])
        self.noise, self.error = 0.5, error

    def draw(self, count: int) -> Tensor:
        x = torch.randn(count, 3) @ self.weights.T + self.noise * torch.randn(count, 144)
        return x.view(count, 1, 12, 12)

    def forward(self, images: Tensor) -> Output:
        x = images.flatten(1)
        precision = 1 + self.weights.square().sum(0) / self.noise**2
        mu = (x @ self.weights) / self.noise**2 / precision
        code = sample(mu + self.error, (-0.5 * precision.log() + self.error).expand_as(mu))
        canvas = (code.z @ self.weights.T).view_as(images)
        squares = (x - canvas.flatten(1)).square().sum(1) / self.noise**2
        reconstruction = 0.5 * (squares + 144 * math.log(2 * math.pi * self.noise**2))
        losses = {"reconstruction": reconstruction, "latent": 3 * code.kl()}
        return Output(canvas, losses, None, code.log_ratio() - reconstruction)

    def log_likelihood(self, images: Tensor) -> Tensor:
        covariance = self.weights @ self.weights.T + self.noise**2 * torch.eye(144)
        return torch.from_numpy(
            multivariate_normal(np.zeros(144), covariance.numpy()).logpdf(images.flatten(1).numpy())
        )


def test_the_bound_of_the_exact_posterior_is_the_likelihood() -> None:
    model = LinearGaussian(0.0)
    images = model.draw(6)
    for samples in (1, 5):
        bound = importance_bound(model, images, samples).double()
        torch.testing.assert_close(bound, model.log_likelihood(images), atol=2e-3, rtol=0)


def test_the_bound_grows_towards_the_likelihood() -> None:
    model = LinearGaussian(0.25)
    images = model.draw(400)
    exact = model.log_likelihood(images).mean().item()
    bounds = [importance_bound(model, images, samples).mean().item() for samples in (1, 4, 16, 1000)]
    assert bounds == sorted(bounds)
    assert bounds[0] < exact - 0.3
    assert bounds[-1] == pytest.approx(exact, abs=0.02)


def test_elbo_and_bound_in_an_evaluation() -> None:
    model = LinearGaussian(0.25)
    pixels = torch.randint(256, (50, 1, 12, 12), dtype=torch.uint8)
    images = Images(pixels)
    found = evaluate(model, images, batch=20, samples=300)
    exact = model.log_likelihood(images.ink()).mean().item()
    assert found["elbo"] < found["iwae"] == pytest.approx(exact, abs=0.1)
    assert found["loss"] == pytest.approx(found["reconstruction"] + found["latent"])
    assert found["images"] == 50
    assert "iwae" not in evaluate(model, images)


class Recall(nn.Module):
    """Paints every image that it was shown before by its true shapes."""

    def __init__(self, images: Images) -> None:
        super().__init__()
        assert images.truth is not None
        self.known, self.truth = images.ink(), images.truth
        self.bank = TemplateBank.named(*images.templates)
        self.inner = nn.Dropout()

    def forward(self, images: Tensor) -> Output:
        assert not self.training
        numbers = (images[:, None] == self.known).flatten(2).all(2).int().argmax(1)
        strokes: Strokes = self.truth[numbers]
        canvas = render(strokes, self.bank, (images.shape[2], images.shape[3]))
        return Output(canvas, {"reconstruction": SquaredError()(images, canvas)}, strokes)


@pytest.mark.parametrize("name", ["two-rectangles-occlusion", "two-rectangles-mixed", "two-shapes"])
def test_a_model_that_paints_the_truth(name: str) -> None:
    images = draw(Data(name=name, held_out=50), "test")
    found = evaluate(Recall(images), images)
    perfect = ["iou", "found", "all_found", "template", "template_images", "template_any", "count"]
    perfect += [] if name == "two-shapes" else ["order", "order_found"]
    assert {name: found[name] for name in perfect} == pytest.approx(dict.fromkeys(perfect, 1.0))
    assert found["mse"] < 1e-3
    assert found["psnr"] > 30
    assert found["ssim"] > 0.98
    assert found["loss"] == found["reconstruction"] == pytest.approx(found["mse"] * 28 * 28)
    assert ("order" in found) == (name != "two-shapes")
    assert not {"elbo", "iwae"} & found.keys()


def test_a_model_that_paints_something_else() -> None:
    images = draw(Data(name="two-rectangles-occlusion", held_out=50), "test")
    assert images.truth is not None
    turned = Images(images.pixels, truth=images.truth.map(lambda tensor: tensor.flip(0)), templates=images.templates)
    found = evaluate(Recall(turned), images)
    assert found["iou"] < 0.5
    assert found["all_found"] < 0.1
    assert found["template"] < 0.5
    assert found["mse"] > 0.05


def test_batches_and_memory_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    images = draw(Data(name="shapes", held_out=23), "test")
    model = Recall(images)
    whole = evaluate(model, images)
    assert evaluate(model, images, batch=5) == pytest.approx(whole)
    monkeypatch.setattr(metrics, "PIXELS_AT_ONCE", 3 * 4 * 28 * 28)
    assert evaluate(model, images, batch=10) == pytest.approx(whole)


def test_live_moves_and_what_is_seen_of_them() -> None:
    """Two moves for each of 10 images, the second off the canvas; 7 x 7 pixels of the first are seen."""
    where = torch.tensor([[[4.0, 0.0, 0.0], [0.0, 4.0, 0.0]], [[4.0, 0.0, 9.0], [0.0, 4.0, 0.0]]])
    truth = Strokes(where.expand(10, 2, 2, 3), torch.ones(10, 2, 1), torch.ones(10, 2, 1))
    pixels = torch.randint(256, (10, 1, 28, 28), dtype=torch.uint8)
    model = Recall(Images(pixels, truth=truth, templates=("square",)))
    found = evaluate(model, Images(pixels))
    assert found["live"] == 0.5
    assert found["visible"] == pytest.approx(24.5, rel=0.01)
    assert not {"iou", "count", "order", "template"} & found.keys()


def test_an_evaluation_leaves_no_trace() -> None:
    images = draw(Data(name="two-rectangles", held_out=5), "test")
    model = Recall(images)
    model.inner.eval()
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    evaluate(model, images)
    assert (model.training, model.inner.training) == (True, False)
    torch.testing.assert_close(torch.rand(3), expected, rtol=0, atol=0)
    with pytest.raises(RuntimeError):
        evaluate(model, Images(torch.zeros(5, 1, 3, 3, dtype=torch.uint8)))
    assert (model.training, model.inner.training) == (True, False)


class Coded(nn.Module):
    """Paints a gray that a learnt code chooses."""

    def __init__(self) -> None:
        super().__init__()
        self.coder = Coder(Model(latent=4), 784)

    def forward(self, images: Tensor) -> Output:
        code = self.coder(images.flatten(1))
        canvas = code.z.mean(1).sigmoid()[:, None, None, None].expand_as(images)
        reconstruction = CrossEntropy()(images, canvas)
        assert code.gaussian is not None
        return Output(canvas, {"reconstruction": reconstruction}, None, code.gaussian.log_ratio() - reconstruction)


def test_canvases_are_of_the_mean_codes_and_bounds_of_samples() -> None:
    images = draw(Data(name="two-rectangles", held_out=20), "test")
    model = Coded()
    first, again, other = (evaluate(model, images, seed=seed, samples=2) for seed in (0, 0, 1))
    assert first == again
    assert {name for name in first if first[name] != other[name]} == {"loss", "reconstruction", "elbo", "iwae"}


def test_averages_are_over_items_not_batches() -> None:
    parts = [{"a": torch.tensor([1.0]), "b": torch.zeros(0)}, {"a": torch.tensor([4.0, 7.0])}]
    assert averages(parts) == {"a": 4.0}
