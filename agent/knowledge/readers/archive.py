"""Office files are ZIP archives; one that unpacks to more than it may is refused before anything is unpacked."""

import io
import zipfile

from agent.knowledge.readers import NotRead

MOST_BYTES = 400 * 2**20
MOST_ENTRIES = 20_000


def checked(data: bytes) -> bytes:
    """The same bytes. Raises NotRead for what is no archive or a trap."""
    found = entries(data)
    if len(found) > MOST_ENTRIES or sum(entry.file_size for entry in found) > MOST_BYTES:
        raise NotRead("unpacks to more than it may")
    return data


def entries(data: bytes) -> list[zipfile.ZipInfo]:
    """What stands in the archive's list. Raises NotRead for what is no archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise NotRead("not an Office file, or a protected one") from None
