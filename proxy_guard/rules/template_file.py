"""What people write as templates: a policy in JSON (`templates.py` compiles it)."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, RootModel, field_validator, model_validator

from proxy_guard.rules.reading import FileModel

Score = Annotated[float, Field(ge=0, le=1)]


class NamedField(FileModel):
    """An entity, by its name; `DOMAIN-NAME`, `credit card`, `EMAIL` and the like are understood."""

    name: str


class AnalyzedField(NamedField):
    """An entity to look for."""

    min_score: Score | None = Field(default=None, alias="minScore", description="Findings below it are left alone.")


class AnalyzeTemplate(FileModel):
    """What a template looks for: `fields`, or `allFields`."""

    fields: list[AnalyzedField] = []
    all_fields: bool = Field(default=False, alias="allFields")
    language: str = "en"
    min_score: Score | None = Field(
        default=None, alias="resultsScoreThreshold", description="Findings below it are left alone; without it, 0.4."
    )
    name: str = ""
    description: str = ""
    created: str = Field(default="", alias="createTime")
    modified: str = Field(default="", alias="modifiedTime")


class ReplaceValue(FileModel):
    """Puts a text in place of the value; without `newValue`, the entity's name in angle brackets."""

    new_value: str | None = Field(default=None, alias="newValue", min_length=1)


class MaskValue(FileModel):
    """Hides characters of the value; without `charsToMask`, all."""

    char: str = Field(default="*", alias="maskingCharacter", min_length=1, max_length=1)
    chars: PositiveInt | None = Field(default=None, alias="charsToMask")
    from_end: bool = Field(default=False, alias="fromEnd")


class RedactValue(FileModel):
    """Takes the value out."""


class HashValue(FileModel):
    """A keyed hash; the key is in the environment, PROXY_GUARD_HASH_KEY."""


class FpeValue(FileModel):
    """Format-preserving encryption; the key is in the environment, PROXY_GUARD_FPE_KEY."""

    key: str | None = None
    tweak: str | None = None
    decrypt: Literal[False] = False

    @field_validator("key")
    @classmethod
    def _elsewhere(cls, key: str | None) -> None:
        raise ValueError("a secret never stands in a file: put the key in the environment as PROXY_GUARD_FPE_KEY")

    @field_validator("tweak")
    @classmethod
    def _its_own(cls, tweak: str | None) -> None:
        raise ValueError("can't be chosen: entity and kept digits are the tweak; leave it out")


class Transformation(FileModel):
    """What is done: exactly one of these."""

    replace: ReplaceValue | None = Field(default=None, alias="replaceValue")
    mask: MaskValue | None = Field(default=None, alias="maskValue")
    redact: RedactValue | None = Field(default=None, alias="redactValue")
    hash: HashValue | None = Field(default=None, alias="hashValue")
    fpe: FpeValue | None = Field(default=None, alias="fPEValue")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        fields = type(self).model_fields
        if sum(getattr(self, name) is not None for name in fields) != 1:
            names = ", ".join(field.alias or name for name, field in fields.items())
            raise ValueError(f"a transformation is exactly one of {names}")
        return self


class FieldTypeTransformation(FileModel):
    """Entities and what is done to them."""

    fields: list[NamedField] = Field(min_length=1)
    transformation: Transformation


class AnonymizeTemplate(FileModel):
    """What a template does to what it finds."""

    field_type_transformations: list[FieldTypeTransformation] = Field(default=[], alias="fieldTypeTransformations")
    default_transformation: Transformation | None = Field(
        default=None,
        alias="defaultTransformation",
        description="For entities that are looked for and named above nowhere; without it, they are left as they are.",
    )
    name: str = ""
    description: str = ""
    created: str = Field(default="", alias="createTime")
    modified: str = Field(default="", alias="modifiedTime")


class Template(FileModel):
    """A template: what is looked for, and what is done to it."""

    schema_: str = Field(default="", alias="$schema", description="For editors.")
    text: Literal["$TEXT"] = Field(default="$TEXT", description="The whole text of a field, which is always so.")
    analyze: AnalyzeTemplate = Field(alias="AnalyzeTemplate")
    anonymize: AnonymizeTemplate = Field(alias="AnonymizeTemplate")


class NamedTemplate(FileModel):
    """A template with a name, several of which may stand in one file."""

    schema_: str = Field(default="", alias="$schema", description="For editors.")
    name: str = Field(
        min_length=1, description="For people. Its policy is called the same in lower case, with hyphens."
    )
    template: Template


class TemplateFile(RootModel[Template | NamedTemplate | list[NamedTemplate]]):
    """A template, or a list of them with their names: accepted wherever a policy is, as `policies/NAME.json`."""
