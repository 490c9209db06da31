"""Template banks: named shapes, and masks read from files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from limner import pyramid, transforms
from limner.errors import UserError
from limner.shapes import SHAPES, SIDE, draw
from limner.sources import sources

T = TypeVar("T")


@dataclass(frozen=True, eq=False, repr=False)
class TemplateBank:
    """K square masks in [0, 1] with a name each; `prefilter` smooths stamps drawn smaller than their template.

    paths: of masks that are those of an outline, its closed lines in [-1, 1] as in an SVG's path ("M-1 -1 1 -1 0 1Z").
    Raises ValueError when masks are not square, not floating-point numbers in [0, 1], or not one to a name, and for
    paths that are none.
    """

    masks: Float[Tensor, "template S S"]
    names: tuple[str, ...] = ()
    prefilter: bool = True
    paths: tuple[str | None, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.masks, Tensor):
            raise ValueError(f"template bank: masks are of {type(self.masks).__name__}, expected a tensor")
        if self.masks.layout is not torch.strided:
            raise ValueError("template bank: masks are sparse: take masks.to_dense()")
        if self.masks.ndim != 3 or self.masks.shape[1] != self.masks.shape[2] or 0 in self.masks.shape:
            raise ValueError(f"template bank: masks have shape {tuple(self.masks.shape)}, expected (template, S, S)")
        if not self.masks.is_floating_point():
            raise ValueError(f"template bank: masks are of {self.masks.dtype}, expected floating-point numbers")
        if not self.names:
            object.__setattr__(self, "names", tuple(f"template {k}" for k in range(len(self.masks))))
        if len(self.names) != len(self.masks):
            raise ValueError(f"template bank: {len(self.masks)} masks but {len(self.names)} names")
        if not self.paths:
            object.__setattr__(self, "paths", (None,) * len(self.masks))
        if len(self.paths) != len(self.masks):
            raise ValueError(f"template bank: {len(self.masks)} masks but {len(self.paths)} paths")
        if any(self.paths):
            from limner.tracing import LINES

            for path in self.paths:
                if path is not None and not LINES.fullmatch(path):
                    raise ValueError(f'template bank: {path[:40]!r} are no closed lines, such as "M-1 -1 1 -1 0 1Z"')
        if not (transforms.traced() or self.masks.is_meta) and not ((self.masks >= 0) & (self.masks <= 1)).all():
            raise ValueError("template bank: masks hold values that are not numbers in [0, 1]")

    def __repr__(self) -> str:
        side = self.masks.shape[-1]
        return f"TemplateBank({', '.join(self.names)}: {side} x {side}{'' if self.prefilter else ', not prefiltered'})"

    @classmethod
    def named(cls, *names: str, size: int = SIDE, prefilter: bool = True) -> TemplateBank:
        """Shapes by name: circle, square, line, curve, triangle, bristle, soft, transparent; `size` texels a side."""
        _check_size(size)
        unknown = [str(name) for name in names if not isinstance(name, str) or name not in SHAPES]
        if unknown or not names:
            choice = f"choose from {', '.join(SHAPES)}, one argument each"
            raise ValueError(f"unknown template {', '.join(unknown) or '(none)'}: {choice}")
        masks = torch.stack([draw(SHAPES[name], size) for name in names])
        return cls(masks.to(torch.get_default_device()), names, prefilter)

    @classmethod
    def load(cls, templates: str | Path | Iterable[str | Path], size: int = 64, prefilter: bool = True) -> TemplateBank:
        """Masks from PNG or SVG files, all those in a folder, shapes by name, and letters or a text, in turn.

        `masks.read_mask` says what counts as inside, `lettering.spelt` how letters are asked for ("letters:ABC").
        Raises UserError for what is none of these.
        """
        _check_size(size)
        found = sources(templates)
        masks = torch.stack([each.mask(size) for each in found])
        return cls(masks.to(torch.get_default_device()), tuple(each.name for each in found), prefilter)

    def to(self, device: torch.device | str) -> TemplateBank:
        """The same bank on a device; itself where it is there."""
        masks = self.masks.to(device)
        return self if masks is self.masks else replace(self, masks=masks)

    def chosen(self, places: Sequence[int]) -> TemplateBank:
        """The templates at these places."""
        names, paths = (tuple(each[k] for k in places) for each in (self.names, self.paths))
        return replace(self, masks=self.masks[list(places)], names=names, paths=paths)

    def then(self, more: TemplateBank) -> TemplateBank:
        """One bank of these and further templates; ValueError unless they have as many texels."""
        if self.masks.shape[-1] != more.masks.shape[-1]:
            sides = f"{self.masks.shape[-1]} and {more.masks.shape[-1]} texels a side"
            raise ValueError(f"templates: cannot join those of {sides}: see `redrawn`")
        masks = torch.cat([self.masks, more.masks])
        return replace(self, masks=masks, names=self.names + more.names, paths=self.paths + more.paths)

    def detach(self) -> TemplateBank:
        """The same templates without gradients."""
        return replace(self, masks=self.masks.detach()) if self.masks.requires_grad else self

    def redrawn(self, size: int) -> TemplateBank:
        """The same templates with `size` texels a side: shapes and outlines drawn anew, other masks interpolated."""
        if size == self.masks.shape[-1]:
            return self
        shapes, outlines = self.shapes, self.outlines

        def at_size(k: int) -> Float[Tensor, "size size"]:
            if k in shapes:
                return draw(SHAPES[shapes[k]], size)
            if k in outlines:
                from limner.tracing import drawn

                return drawn(outlines[k], size)
            mask = self.masks[k].detach().cpu().float()
            return interpolate(mask[None, None], (size, size), mode="bilinear", antialias=True)[0, 0]

        masks = torch.stack([at_size(k) for k in range(len(self))])
        bank = replace(self, masks=masks.to(self.masks))
        bank.kept("outlines", lambda: outlines)
        return bank

    @property
    def pyramid(self) -> pyramid.Pyramid:
        """The prefiltered sizes (`pyramid.build`)."""
        return self.kept("pyramid", lambda: pyramid.build(self.masks, self.prefilter))

    @property
    def shapes(self) -> dict[int, str]:
        """The templates that are shapes, by index: the name must hold for the mask too."""
        return self.kept("shapes", self._find_shapes)

    @property
    def scalable(self) -> bool:
        """Whether all templates are known at any size: shapes, and those with a path."""
        return all(
            k in self.shapes or (k in self.outlines and self.outlines[k] == self._given(k)) for k in range(len(self))
        )

    def _given(self, k: int) -> str | None:
        """The outline of a template by its path."""
        from limner.tracing import PATH

        return PATH.format(self.paths[k]) if self.paths[k] else None

    @property
    def outlines(self) -> dict[int, str]:
        """SVG fragments of the templates that have an outline, by index: of shapes, and of masks with hard edges."""
        return self.kept("outlines", self._find_outlines)

    def _find_shapes(self) -> dict[int, str]:
        masks, side = self.masks.detach().cpu().float(), self.masks.shape[-1]
        named = {k: name for k, name in enumerate(self.names) if name in SHAPES}
        return {k: name for k, name in named.items() if torch.allclose(masks[k], draw(SHAPES[name], side), atol=1e-3)}

    def _find_outlines(self) -> dict[int, str]:
        found = {k: SHAPES[name].svg for k, name in self.shapes.items()}
        if others := set(range(len(self))) - found.keys():
            from limner.tracing import like, traced

            for k in others:
                path = self._given(k)
                found[k] = path if path and like(path, self.masks[k]) else traced(self.masks[k])
        return {k: outline for k, outline in sorted(found.items()) if outline is not None}

    def kept(self, name: str, build: Callable[[], T]) -> T:
        """What `build` makes of the masks: made once, again when they have changed, always while they are learnt.

        So it is within a transform, too, whose tensors are not to be kept.
        A change is one that torch counts: what is written to `masks.data` or through numpy is not seen.
        """
        if transforms.traced() or self.masks.requires_grad or self.masks.is_inference():
            return build()
        version, value = self.__dict__.setdefault("_kept", {}).get(name, (None, None))
        if version != self.masks._version:
            with torch.inference_mode(False), torch.no_grad():
                value = build()
            self.__dict__["_kept"][name] = self.masks._version, value
        return value

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "_kept"}

    def __len__(self) -> int:
        return len(self.names)


torch.serialization.add_safe_globals([TemplateBank])  # so that `torch.load` reads what `torch.save` wrote of them


def _check_size(size: int) -> None:
    """UserError for templates of no whole number of texels."""
    if not hasattr(size, "__index__") or size < 1:
        raise UserError(f"size: templates of {size} texels a side: expected a whole number from 1 up")
