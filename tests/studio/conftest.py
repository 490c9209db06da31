import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from quick import quick

from limner.studio.easel import Easel
from limner.studio.server import Studio

__all__ = ["quick", "studio"]


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    folder = tmp_path / "studio"
    folder.mkdir()
    with Studio(Easel(folder)) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield server
        server.easel.close()
        server.shutdown()
        thread.join()
