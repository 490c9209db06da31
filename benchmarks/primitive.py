"""fogleman's primitive, which rebuilds a picture from shapes as limner does: https://github.com/fogleman/primitive.

`go install` builds it from there; npm's package sqip-plugin-primitive holds it for Linux, macOS and Windows.
"""

import tempfile
from pathlib import Path

from PIL import Image
from process import run

from limner.errors import UserError


def paint(program: Path, picture: Path, strokes: int) -> dict[str, float]:
    """PSNR of the PNG it saves, and CPU-seconds, for triangles of alpha 128 (what it does unasked) on one thread.

    Raises UserError if there is no such program.
    """
    from limner.painting.painting import psnr
    from limner.painting.pictures import read_picture

    with Image.open(picture) as image:
        longer = str(max(image.size))
    with tempfile.TemporaryDirectory() as folder:
        png = str(Path(folder) / "out.png")
        sizes = ["-r", longer, "-s", longer]  # it works and saves at the size of the picture
        try:
            cost = run([str(program.resolve()), "-i", str(picture), "-o", png, "-n", str(strokes), "-j", "1", *sizes])
        except OSError as error:
            raise UserError(
                f"--primitive {program}: cannot be run ({error.strerror}); name the program itself"
            ) from error
        shown, wanted = read_picture(png).pixels, read_picture(picture).pixels
        _, height, width = shown.shape  # it may round a side down by a pixel
        score = psnr(shown, wanted[:, :height, :width])
    return {"psnr": round(score, 2), "cpu": round(cost.cpu, 2)}
