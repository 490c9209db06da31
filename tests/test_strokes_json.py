import json
from base64 import b64encode
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from limner.errors import UserError
from limner.painting.rendering import finer
from limner.strokes import Strokes
from limner.strokes_json import dump, parse
from limner.templates import TemplateBank

OPTIONAL = {"opacity": (), "depth": (), "slope": ("channel", 2)}


def same(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Equal bits, minus zero included."""
    return a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b) and torch.equal(a.signbit(), b.signbit())


def strokes_of(
    pictures: int, moves: int, templates: int, channels: int, optional: set[str], dtype: torch.dtype
) -> Strokes:
    shapes = {"where": (2, 3), "which": (templates,), "what": (channels,), "opacity": (), "depth": ()}
    shapes["slope"] = (channels, 2)
    kept = [name for name in shapes if name not in OPTIONAL or name in optional]
    return Strokes(**{name: torch.randn(pictures, moves, *shapes[name]).to(dtype) for name in kept})


@settings(max_examples=40)
@given(
    st.integers(0, 2),
    st.integers(0, 4),
    st.integers(0, 3),
    st.sampled_from([1, 3]),
    st.sets(st.sampled_from(sorted(OPTIONAL))),
    st.sampled_from([torch.float32, torch.float64, torch.float16, torch.bfloat16]),
)
def test_round_trip(
    pictures: int, moves: int, templates: int, channels: int, optional: set[str], dtype: torch.dtype
) -> None:
    strokes = strokes_of(pictures, moves, templates, channels, optional, dtype)
    with TemporaryDirectory() as folder:
        strokes.save(Path(folder) / "strokes.json")
        back = Strokes.load(Path(folder) / "strokes.json")
    assert back.tensors().keys() == strokes.tensors().keys()
    assert all(same(back.tensors()[name], tensor) for name, tensor in strokes.tensors().items())


@settings(max_examples=60)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=6, max_size=6))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_number_round_trips(dtype: torch.dtype, numbers: list[float]) -> None:
    where = torch.tensor(numbers, dtype=dtype).view(1, 1, 2, 3)
    where = where / 3 if dtype == torch.float64 else where
    strokes = Strokes(where, torch.ones(1, 1, 1, dtype=dtype), torch.ones(1, 1, 1, dtype=dtype))
    with TemporaryDirectory() as folder:
        strokes.save(Path(folder) / "strokes.json")
        assert same(Strokes.load(Path(folder) / "strokes.json").where, where)


@pytest.mark.parametrize("number", [1e-45, -0.0, 3.4028234663852886e38, 0.1, 16777216.0, 1.17549435e-38])
def test_awkward_numbers(tmp_path: Path, number: float) -> None:
    strokes = Strokes(torch.full((1, 1, 2, 3), number), torch.ones(1, 1, 1), torch.ones(1, 1, 3))
    strokes.save(tmp_path / "strokes.json")
    assert same(Strokes.load(tmp_path / "strokes.json").where, strokes.where)


def test_bank_size_and_background(tmp_path: Path) -> None:
    shapes = TemplateBank.named("circle", "curve", size=16)
    own = (torch.rand(1, 16, 16) * 255).round() / 255
    bank = TemplateBank(torch.cat([shapes.masks, own]), ("circle", "curve", "own"), prefilter=False)
    strokes = strokes_of(1, 2, 3, 3, {"opacity"}, torch.float32)
    background = torch.rand(3)
    dump(tmp_path / "strokes.json", strokes, bank, (30, 40), background, (300, 400))
    document = parse(tmp_path / "strokes.json")
    assert document.bank is not None
    assert (document.bank.names, document.bank.prefilter) == (bank.names, False)
    assert same(document.bank.masks, bank.masks)
    assert (document.size, document.picture_size) == ((30, 40), (300, 400))
    assert document.background is not None
    assert same(document.background, background)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_background_keeps_its_digits_beside_strokes_of_few(dtype: torch.dtype, tmp_path: Path) -> None:
    strokes, background = strokes_of(1, 2, 3, 3, set(), dtype), torch.rand(3)
    dump(tmp_path / "strokes.json", strokes, TemplateBank.named("circle", "square", "line"), (30, 40), background)
    found = parse(tmp_path / "strokes.json")
    assert found.strokes.where.dtype == dtype
    assert found.background is not None
    assert same(found.background, background)


def test_older_files_do_not_tell_the_size_of_the_picture(tmp_path: Path) -> None:
    path, content = document(tmp_path)
    del content["picture_size"]
    path.write_text(json.dumps(content))
    assert parse(path).picture_size is None


def test_what_is_redrawn_for_a_large_picture_is_a_shape_still(tmp_path: Path) -> None:
    bank = finer(TemplateBank.named("curve", size=256), (48, 64), (4800, 6400))
    dump(tmp_path / "a.json", strokes_of(1, 1, 1, 1, set(), torch.float32), bank)
    found = parse(tmp_path / "a.json").bank
    assert found is not None
    assert found.shapes == {0: "curve"}
    assert torch.equal(found.masks, bank.masks)


def test_names_and_texels_stand_for_shapes(tmp_path: Path) -> None:
    bank = TemplateBank.named("circle", "line", size=20)
    renamed = TemplateBank(bank.masks.flip(0), ("circle", "line"))
    strokes = strokes_of(1, 1, 2, 1, set(), torch.float32)
    dump(tmp_path / "named.json", strokes, bank)
    dump(tmp_path / "renamed.json", strokes, renamed)
    named = json.loads((tmp_path / "named.json").read_text())
    assert named["templates"] == [{"name": "circle", "texels": 20}, {"name": "line", "texels": 20}]
    document = parse(tmp_path / "renamed.json")
    assert document.bank is not None
    assert (document.bank.masks - renamed.masks).abs().max() <= 0.5 / 255 + 1e-6
    assert document.size is document.background is None


def test_documented_file_is_what_is_written(tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs/json.md").read_text()
    (tmp_path / "page.json").write_text(page.split("```json\n")[1].split("```")[0])
    dump(tmp_path / "again.json", *parse(tmp_path / "page.json"))
    assert (tmp_path / "again.json").read_text() == (tmp_path / "page.json").read_text()


def test_whole_numbers_are_written_as_floats(tmp_path: Path) -> None:
    single, double = torch.rand(1, 1, 2, 3), torch.rand(1, 1, 3, dtype=torch.float64)
    whole = torch.ones(1, 1, 1, dtype=torch.int64)
    for where, what, dtype in (
        (single, double.float(), torch.float32),
        (single, double, torch.float64),
        (single.long(), double.long(), torch.float64),
    ):
        strokes = strokes_of(1, 1, 1, 3, set(), torch.float32)
        vars(strokes).update(where=where, which=whole, what=what)
        strokes.save(tmp_path / "strokes.json")
        back = Strokes.load(tmp_path / "strokes.json")
        assert same(back.where, where.to(dtype))
        assert same(back.which, whole.to(dtype))
        assert same(back.what, what.to(dtype))


def test_sizes_may_be_of_numpy(tmp_path: Path) -> None:
    dump(tmp_path / "a.json", strokes_of(1, 1, 1, 1, set(), torch.float32), None, (np.int64(3), np.int64(4)))
    assert parse(tmp_path / "a.json").size == (3, 4)


def test_one_stroke_a_line(tmp_path: Path) -> None:
    strokes = Strokes(torch.zeros(2, 5, 2, 3), torch.ones(2, 5, 1), torch.full((2, 5, 3), 0.1))
    strokes.save(tmp_path / "strokes.json")
    line = '{"where":[[0,0,0],[0,0,0]],"which":[1],"what":[0.1,0.1,0.1]}'
    text = (tmp_path / "strokes.json").read_text()
    assert sum(row.rstrip(",") == line for row in text.splitlines()) == 10


def test_a_bank_of_another_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the bank has 1"):
        dump(tmp_path / "x.json", strokes_of(1, 1, 2, 1, set(), torch.float32), TemplateBank.named("circle"))


def test_failure_leaves_no_file(tmp_path: Path) -> None:
    strokes = strokes_of(2, 3, 1, 1, {"depth"}, torch.float32)
    assert strokes.depth is not None
    strokes.depth[1, 2] = torch.nan
    with pytest.raises(UserError, match="depth of picture 1, stroke 2 is not finite"):
        strokes.save(tmp_path / "strokes.json")
    with pytest.raises(UserError, match=r"none.x\.json: cannot be written"):
        strokes_of(1, 1, 1, 1, set(), torch.float32).save(tmp_path / "none" / "x.json")
    assert list(tmp_path.iterdir()) == []


def document(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    path = tmp_path / "strokes.json"
    dump(path, strokes_of(2, 2, 1, 3, {"opacity"}, torch.float32), TemplateBank.named("circle", size=8), (4, 5))
    return path, json.loads(path.read_text())


def png(side: int) -> str:
    """A white square as masks are written."""
    file = BytesIO()
    Image.new("L", (side, side), 255).save(file, "PNG")
    return "data:image/png;base64," + b64encode(file.getvalue()).decode()


WIDE = png(9000)
FAULTS = [
    ({"format": "other"}, "not a file of strokes"),
    ({"version": 2}, "newer"),
    ({"version": 0}, "has version 0, expected 1"),
    ({"version": "1"}, '"version" is a str'),
    ({"version": None}, '"version" is a NoneType'),
    ({"dtype": "int8"}, '"dtype" is "int8"'),
    ({"channels": 2}, '"channels" is 2'),
    ({"channels": 1}, "stroke 0: what has 3 values where 1"),
    ({"channels": True}, '"channels" is a bool'),
    ({"fields": ["where", "which"]}, '"fields"'),
    ({"fields": ["where", "which", "what", "opacity", "opacity"]}, '"fields"'),
    ({"fields": ["where", "which", "what", "colour"]}, '"fields"'),
    ({"fields": [{}]}, '"fields"'),
    ({"strokes": -1}, '"strokes" is -1'),
    ({"strokes": 3}, "picture 0: holds 2 strokes"),
    ({"size": [4]}, '"size"'),
    ({"size": [4, 0]}, '"size"'),
    ({"size": "big"}, '"size"'),
    ({"size": True}, '"size" is True, expected [height, width] or null'),
    ({"background": True}, '"background" has a bool where 3 are expected'),
    ({"size": [10**400, 1]}, '"size"'),
    ({"strokes": 10**30, "pictures": []}, '"strokes" is 1000000000000000000000000000000, expected 0 to 2147483647'),
    ({"templates": 10**30, "pictures": []}, '"templates" is 1000000000000000000000000000000, expected'),
    ({"background": [1, 1]}, '"background" has 2 values where 3'),
    ({"background": [1, 1, float("nan")]}, '"background" is not finite'),
    ({"background": "#fff"}, '"background" has a str'),
    ({"templates": []}, '"templates" is empty'),
    ({"templates": [3]}, "template 0: is no object"),
    ({"templates": [{"name": "blob", "texels": 8}]}, '"blob" is not a known shape'),
    ({"templates": [{"name": "circle", "texels": 10**9}]}, '"texels"'),
    ({"templates": [{"name": "circle"}]}, '"texels" is missing'),
    ({"templates": [{"name": "own", "mask": "?"}]}, "no PNG in base64"),
    ({"templates": [{"name": "own", "mask": "abcd"}]}, "not a picture"),
    ({"templates": [{"name": "line", "texels": 8, "outline": 3}]}, '"outline" is a int'),
    ({"templates": [{"name": "line", "texels": 8, "outline": 'M0 0Z"/><script/>'}]}, '"outline" is no path of closed'),
    ({"templates": [{"name": "line", "texels": 8, "outline": ""}]}, '"outline" is no path of closed'),
    ({"templates": [{"name": "circle", "texels": 8}, {"name": "line", "texels": 9}]}, "template 1: is 9 texels"),
    (
        {"templates": [{"name": "circle", "texels": 1024}] * 129},
        "template 0: is 1024 texels wide, and of 129 templates",
    ),
    (
        {"templates": [{"name": "own", "mask": WIDE}] * 2},
        "template 0: is 9000 texels wide, and of 2 templates each may",
    ),
    ({"templates": 2}, "which has 1 values where 2"),
    ({"picture_size": [3]}, '"picture_size" is [3]'),
    ({"pictures": {}}, '"pictures" is a dict'),
    ({"pictures": [[], []]}, "picture 0: holds 0 strokes"),
    ({"pictures": [3]}, "picture 0: is no list"),
    ({"pictures": [[{"where": 3}, {}]]}, "picture 0, stroke 0: expected the keys"),
]


@pytest.mark.parametrize(("change", "words"), FAULTS)
def test_faults_are_named(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    path, content = document(tmp_path)
    path.write_text(json.dumps(content | change))
    with pytest.raises(UserError, match=r"strokes\.json: ") as caught:
        parse(path)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "key",
    ["format", "version", "dtype", "size", "background", "channels", "fields", "strokes", "templates", "pictures"],
)
def test_missing_keys_are_named(tmp_path: Path, key: str) -> None:
    path, content = document(tmp_path)
    del content[key]
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=key):
        parse(path)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("opacity", float("nan"), "picture 1, stroke 0: opacity is not finite"),
        ("opacity", 1e39, "picture 1, stroke 0: opacity is not finite"),
        ("opacity", 10**400, "picture 1, stroke 0: opacity is not finite"),
        ("opacity", "0.5", "picture 1, stroke 0: opacity is a str"),
        ("opacity", True, "picture 1, stroke 0: opacity is a bool"),
        ("where", [[1, 0, 0], [0, 1]], "picture 1, stroke 0: where has 2 values where 3"),
        ("where", [[1, 0, 0], [0, float("-inf"), 0]], "picture 1, stroke 0: where is not finite"),
        ("what", 1, "picture 1, stroke 0: what has a int"),
    ],
)
def test_faulty_strokes_are_numbered(tmp_path: Path, field: str, value: Any, words: str) -> None:
    path, content = document(tmp_path)
    content["pictures"][1][0][field] = value
    path.write_text(json.dumps(content))
    with pytest.raises(UserError) as caught:
        parse(path)
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\xff", "[1]", "null", "1" * 5000])
def test_files_that_are_not_strokes(tmp_path: Path, text: str) -> None:
    path = tmp_path / "strokes.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match=r"strokes\.json"):
        parse(path)
    with pytest.raises(UserError, match="no such file"):
        parse(tmp_path / "none.json")
