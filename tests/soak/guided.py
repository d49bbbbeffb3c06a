"""Files changed by what they make the readers run: ``python -m tests.soak.guided KIND FOLDER ...``.

libFuzzer keeps each changed file that reaches new code, and changes it further; arguments behind
the folder are its own. Files have no digest, for hardly a change would get past it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random

import atheris

# What is imported within counts what it runs.
with atheris.instrument_imports(include=["fastmlp"]):
    from .kinds_of_files import KINDS
    from .promises.model_files import forms, refused_or_used

from .mutations import as_json, edited, edited_texts


def main(kind_name: str, folder: str, *arguments: str) -> None:
    """Change files of a kind until the time is over; end with an error where a promise breaks."""
    [kind] = [kind for kind in KINDS if kind.name == kind_name]
    path = Path(folder) / "changed"
    # fastmlp imports much of itself where it is needed, which is here.
    with atheris.instrument_imports(include=["fastmlp"]):
        for number, form in enumerate(forms(kind, Path(folder))):
            path.write_bytes(form.unsealed)
            refused_or_used(kind, path)
            (Path(folder) / f"corpus/{number}").write_bytes(form.unsealed)

    def one(content: bytes) -> None:
        path.write_bytes(content)
        refused_or_used(kind, path)

    def change(content: bytes, longest: int, seed: int) -> bytes:
        random = Random(seed)
        found = _edited(random, content) if random.random() < 0.5 else None
        if found is None or len(found) > longest:
            return atheris.Mutate(content, longest)
        return found

    atheris.Setup([sys.argv[0], *arguments], one, custom_mutator=change)
    atheris.Fuzz()


def _edited(random: Random, content: bytes) -> bytes | None:
    """A file with its header edited, as JSON or in the JSON within; None where there is none."""
    head = 8 + int.from_bytes(content[:8], "little")
    try:
        if content.startswith(b"{"):
            return as_json(edited(random, json.loads(content))).encode()
        header = json.loads(content[8:head])
        if random.random() < 0.8:
            header["__metadata__"] = edited_texts(random, header["__metadata__"])
        else:
            header = edited(random, header)
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError):
        return None
    text = as_json(header).encode()
    return len(text).to_bytes(8, "little") + text + content[head:]


if __name__ == "__main__":
    main(*sys.argv[1:])
