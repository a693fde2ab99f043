"""The `media` section of a policy: what people write, and what it is compiled to."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from proxy_guard.media import MediaSettings
from proxy_guard.operators.keep import Keep
from proxy_guard.policy import EntityRule, MediaRule
from proxy_guard.rules.reading import FileModel


class MediaSection(FileModel):
    """Media are scrubbed. Settings without a value have their defaults (`proxy_guard.media.MediaSettings`)."""

    style: Literal["fill", "blur", "block"] | None = Field(
        default=None, description="What becomes of a finding in a picture; block: the medium is refused."
    )
    keep_metadata: bool | None = Field(default=None, description="Metadata of a picture that holds no finding stay.")
    faces: bool | None = Field(default=None, description="Faces in pictures are findings: FACE.")
    codes: bool | None = Field(default=None, description="QR codes and barcodes are read; those with findings go.")
    low_confidence: Literal["mask", "block"] | None = Field(
        default=None, description="What becomes of a line of a picture that could not be read for sure."
    )
    pages: PositiveInt | None = Field(default=None, description="Pages, frames or sheets of one medium, at most.")
    pixels: PositiveInt | None = Field(default=None, description="Pixels of one picture, at most.")
    unpacked: PositiveInt | None = Field(default=None, description="Bytes that a packed medium holds, at most.")
    invisible_text: bool | None = Field(
        default=None, description="Pages of a PDF that were painted anew get their text back, without the findings."
    )
    scrubber: str = Field(
        default="local", description="Who makes them clean: `local`, or a connection with `media: true`."
    )
    otherwise: str | None = Field(
        default=None, description="The connection that is given what `local` can't scrub: audio, video, other files."
    )
    links: Literal["fetch", "block", "ignore"] = Field(
        default="block",
        description="Media by link. fetch: they are fetched from `hosts`, scrubbed, and go on in place of the link. "
        "ignore: the link goes on unseen.",
    )
    hosts: list[Annotated[str, Field(min_length=1)]] = Field(
        default=[], description="Host names from which linked media are fetched; `*.example.com` is every host below."
    )
    references: Literal["block", "ignore"] = Field(
        default="block", description="Media that the API has already, by the name it gave them (`file_id`)."
    )

    def compiled(self, face: EntityRule | None) -> MediaRule:
        """What it says, with the defaults; `face` is what the policy does to faces."""
        names = {each.name for each in fields(MediaSettings)}
        settings = MediaSettings(**self.model_dump(include=names, exclude_none=True))
        if face is not None:
            settings = replace(settings, faces=settings.faces and not isinstance(face.operator, Keep))
            settings = replace(settings, face_score=face.min_score)
        return MediaRule(
            settings, self.scrubber, self.otherwise, self.links, tuple(map(str.lower, self.hosts)), self.references
        )
