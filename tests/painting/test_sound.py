"""The sound of clips that are painted."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream
from films import filmed, levels, seen

import limner
from limner.painting.films import decoding
from limner.painting.films.clip import Clip

pytestmark = pytest.mark.usefixtures("quick")


def sounding(path: Path, codec: str = "aac", layout: str = "stereo", seconds: float = 1.2, late: int = 0) -> Path:
    """A clip whose tone rises; its pictures begin so many 25ths of a second after its sound."""
    with av.open(str(path), "w") as file:
        video = file.add_stream("libx264", rate=25)
        video.height, video.width, video.pix_fmt = 32, 32, "yuv420p"
        sound = cast(AudioStream, file.add_stream(codec, rate=48000))
        sound.layout = layout
        for k, frame in enumerate(levels(12)):
            one = av.VideoFrame.from_ndarray(frame, "rgb24")
            one.time_base, one.pts = Fraction(1, 25), k + late
            file.mux(video.encode(one))
        file.mux(video.encode())
        time = np.arange(round(48000 * seconds)) / 48000
        tone = (0.5 * np.sin(2 * np.pi * (300 + 300 * time) * time)).astype(np.float32)
        for first in range(0, len(tone), 960):
            part = tone[None, first : first + 960].repeat(1 if layout == "mono" else 2, 0)
            frame = av.AudioFrame.from_ndarray(part, "fltp", layout)
            frame.sample_rate, frame.time_base, frame.pts = 48000, Fraction(1, 48000), first
            file.mux(sound.encode(frame))
        file.mux(sound.encode())
    return path


def heard(path: Path) -> tuple[np.ndarray, int]:
    """The sound of a film, as one channel of 48,000 samples a second, and how many it has."""
    with av.open(str(path)) as file:
        mixed = av.AudioResampler("fltp", "mono", 48000)
        parts = [part.to_ndarray()[0] for frame in file.decode(audio=0) for part in mixed.resample(frame)]
        return np.concatenate(parts), file.streams.audio[0].layout.nb_channels


def lag(before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    """By how many seconds a sound comes later than another, and how far they are alike then (1: the same)."""
    count = min(len(before), len(after))
    first, second = before[:count], after[:count]
    alike = np.fft.irfft(np.fft.rfft(first, 2 * count).conj() * np.fft.rfft(second, 2 * count))
    place = int(alike.argmax())
    late = place - 2 * count if place > count else place
    return late / 48000, alike[place] / np.sqrt((first**2).sum() * (second**2).sum())


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
@pytest.mark.parametrize(("codec", "layout"), [("aac", "stereo"), ("libopus", "mono"), ("pcm_s16le", "stereo")])
def test_a_clip_keeps_its_sound(suffix: str, codec: str, layout: str, tmp_path: Path) -> None:
    path = sounding(tmp_path / "clip.mkv", codec, layout, seconds=0.48)
    limner.paint_clip(path, 2).save(tmp_path / f"painted{suffix}")
    (before, _), (after, channels) = heard(path), heard(tmp_path / f"painted{suffix}")
    late, alike = lag(before, after)
    assert abs(late) < 0.03
    assert alike > 0.95
    assert len(after) > len(before) - 480
    assert channels == (1 if layout == "mono" else 2)
    assert len(seen(tmp_path / f"painted{suffix}")) == 12


def test_sound_may_be_a_file_of_its_own(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "tone.wav"), "w") as file:
        stream = cast(AudioStream, file.add_stream("pcm_s16le", rate=48000))
        stream.layout = "mono"
        tone = np.sin(np.arange(24000) * np.linspace(0.02, 0.1, 24000)).astype(np.float32)
        frame = av.AudioFrame.from_ndarray((tone[None] * 20000).astype(np.int16), "s16", "mono")
        frame.sample_rate = 48000
        file.mux(stream.encode(frame))
        file.mux(stream.encode())
    clip = limner.paint_clip([np.full((32, 32), shade, np.uint8) for shade in (10, 90, 200)], 2, rate=6.0)
    Clip(clip.paintings, clip.rate, tmp_path / "tone.wav").save(tmp_path / "film.mp4")
    late, alike = lag(tone, heard(tmp_path / "film.mp4")[0])
    assert abs(late) < 0.03
    assert alike > 0.95
    assert len(seen(tmp_path / "film.mp4")) == 3


def test_sound_ends_with_the_pictures_and_begins_with_them(tmp_path: Path) -> None:
    path = sounding(tmp_path / "clip.mkv", late=10)
    clip = limner.paint_clip(path, 2)
    clip.save(tmp_path / "whole.webm")
    (before, _), (after, _) = heard(path), heard(tmp_path / "whole.webm")
    late, alike = lag(before[round(0.4 * 48000) :], after)
    assert abs(late) < 0.03
    assert alike > 0.95
    assert 0.45 < len(after) / 48000 < 0.56
    limner.Clip(clip.paintings[:5], clip.rate, clip.sound).save(tmp_path / "part.mp4")
    assert len(heard(tmp_path / "part.mp4")[0]) / 48000 < 0.27


def clicking(path: Path, silent: tuple[float, float] = (0, 0), rate: int = 48000, layout: str = "stereo") -> Path:
    """A clip of two seconds that flashes and clicks after one; its sound is left out from one time to another."""
    with av.open(str(path), "w") as file:
        video = file.add_stream("libx264", rate=25, options={"qp": "5", "tune": "zerolatency"})
        video.height, video.width, video.pix_fmt = 32, 32, "yuv420p"
        sound = cast(AudioStream, file.add_stream("aac", rate=rate))
        sound.layout = layout
        for k in range(50):
            one = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 255 if k == 25 else 40, np.uint8), "rgb24")
            one.time_base, one.pts = Fraction(1, 25), k
            file.mux(video.encode(one))
        file.mux(video.encode())
        time = np.arange(2 * rate) / rate
        click = np.where((time >= 1) & (time < 1.04), 0.9 * np.sin(2000 * np.pi * time), 0).astype(np.float32)
        for first in range(0, len(click), 1024):
            if silent[0] <= first / rate < silent[1]:
                continue
            part = click[None, first : first + 1024].repeat({"mono": 1, "stereo": 2, "5.1": 6}[layout], 0)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part), "fltp", layout)
            frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), first
            file.mux(sound.encode(frame))
        file.mux(sound.encode())
    return path


def flash_and_click(path: Path) -> tuple[float, float, float]:
    """When a film flashes, when it clicks, and when its sound ends, in seconds."""
    with av.open(str(path)) as file:
        flash = next(frame.time for frame in file.decode(video=0) if frame.to_ndarray(format="gray").mean() > 150)
    with av.open(str(path)) as file:
        mixer, click, end = av.AudioResampler("fltp", "mono"), None, 0.0
        for frame in file.decode(audio=0):
            assert frame.time is not None
            end, start = frame.time + frame.samples / frame.sample_rate, frame.time
            for part in mixer.resample(frame):
                loud = np.abs(part.to_ndarray()[0]) > 0.2
                if click is None and loud.any():
                    click = start + int(loud.argmax()) / frame.sample_rate
    assert flash is not None
    assert click is not None
    return flash, click, end


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
@pytest.mark.parametrize("silent", [(0, 0), (0, 0.5), (0.3, 0.7), (1.2, 1.9)], ids=["all", "late", "gap", "after"])
def test_sound_is_in_step_where_it_is_late_or_has_a_gap(
    silent: tuple[float, float], suffix: str, tmp_path: Path
) -> None:
    path = clicking(tmp_path / "clip.mkv", silent)
    limner.paint_clip(path, 0).save(tmp_path / f"painted{suffix}")
    flash, click, end = flash_and_click(tmp_path / f"painted{suffix}")
    assert flash == pytest.approx(1, abs=0.002)
    assert click == pytest.approx(1, abs=0.005)
    assert end == pytest.approx(2, abs=0.05)


def test_sound_without_times_follows_what_came_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of sound that begins before the pictures, what comes before them is not heard."""
    path, decoded = sounding(tmp_path / "clip.mkv", late=10), decoding.sounds

    def timeless(*arguments: Any) -> Iterator[Any]:
        for number, frame in enumerate(decoded(*arguments)):
            if number:
                frame.pts = None
            yield frame

    monkeypatch.setattr(decoding, "sounds", timeless)
    limner.paint_clip(path, 0).save(tmp_path / "painted.mp4")
    (before, _), (after, _) = heard(path), heard(tmp_path / "painted.mp4")
    late, alike = lag(before[round(0.4 * 48000) :], after)
    assert abs(late) < 0.03
    assert alike > 0.95


def test_a_pause_ends_with_the_pictures(tmp_path: Path) -> None:
    clip = limner.paint_clip(clicking(tmp_path / "clip.mkv", (0.2, 1.9)), 0)
    limner.Clip(clip.paintings[:20], clip.rate, clip.sound).save(tmp_path / "part.mp4")
    assert len(heard(tmp_path / "part.mp4")[0]) / 48000 == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize(("rate", "layout"), [(48000, "5.1"), (44100, "stereo"), (48000, "mono")])
def test_sound_that_changes_on_its_way(rate: int, layout: str, tmp_path: Path) -> None:
    """As television does, whose recordings are parts that follow each other."""
    first, second = clicking(tmp_path / "a.ts"), clicking(tmp_path / "b.ts", rate=rate, layout=layout)
    (tmp_path / "both.ts").write_bytes(first.read_bytes() + second.read_bytes())
    limner.paint_clip(tmp_path / "both.ts", 0).save(tmp_path / "painted.mp4")
    sound, _ = heard(tmp_path / "painted.mp4")
    loud = np.flatnonzero(np.abs(sound) > 0.2) / 48000
    assert loud[0] == pytest.approx(1, abs=0.01)
    assert loud[-1] == pytest.approx(3.06, abs=0.1)


def test_damaged_sound_is_left_out(tmp_path: Path) -> None:
    path = clicking(tmp_path / "clip.mkv")
    content = bytearray(path.read_bytes())
    with av.open(str(path)) as file:
        packets = [bytes(packet) for packet in file.demux(audio=0) if packet.size]
    for packet in packets[10:13]:
        place = content.index(packet)
        content[place : place + len(packet)] = b"\xff" * len(packet)
    (tmp_path / "damaged.mkv").write_bytes(content)
    limner.paint_clip(tmp_path / "damaged.mkv", 0).save(tmp_path / "painted.mp4")
    flash, click, end = flash_and_click(tmp_path / "painted.mp4")
    assert click == pytest.approx(flash, abs=0.01)
    assert end == pytest.approx(2, abs=0.05)


def test_sound_of_an_unknown_kind(tmp_path: Path) -> None:
    path = clicking(tmp_path / "clip.mkv")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"A_AAC", b"A_XYZ"))
    clip = limner.paint_clip(path, 0)
    with pytest.warns(UserWarning, match=r"clip\.mkv: its sound is of a kind that FFmpeg cannot decode"):
        clip.save(tmp_path / "silent.mp4")
    with av.open(str(tmp_path / "silent.mp4")) as file:
        assert not file.streams.audio


def test_clips_without_sound(tmp_path: Path) -> None:
    path = sounding(tmp_path / "clip.mkv")
    clip = limner.paint_clip(path, 2)
    assert limner.paint_clip(path, 2, rate=10.0).sound is None
    assert limner.paint_clip(levels(3), 2).sound is None
    silent = limner.paint_clip(filmed(tmp_path / "silent.mp4", levels(3)), 2)
    path.unlink()
    for k, one in enumerate((clip, silent)):
        one.save(tmp_path / f"{k}.mp4")
        with av.open(str(tmp_path / f"{k}.mp4")) as file:
            assert not file.streams.audio
            assert len(file.streams.video) == 1
