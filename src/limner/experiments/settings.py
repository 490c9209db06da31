"""An experiment as one value; light to import."""

from dataclasses import dataclass, field

from limner.data.settings import Data
from limner.models.settings import Model
from limner.training.settings import Training


@dataclass(frozen=True)
class Experiment:
    """What to paint, what with, and how it learns."""

    data: Data = field(default_factory=Data)
    model: Model = field(default_factory=Model)
    training: Training = field(default_factory=Training)
