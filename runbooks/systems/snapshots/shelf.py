"""The snapshots of one environment: found, read, written and checked in its store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.store import Store
from runbooks.systems.snapshots.manifest import Manifest, StoredFile, decode, encode
from runbooks.systems.store.objects import Digest, Objects, digest_of

ROOT = "snapshots/"
MANIFEST = "manifest.json"
NEWEST = "newest"


@dataclass(frozen=True)
class Shelf:
    """Small objects with conditions, and large ones, of the same store."""

    store: Store
    objects: Objects

    def __str__(self) -> str:
        return str(self.store)

    def ids(self) -> list[str]:
        """The snapshots that are whole, oldest first."""
        names = self.store.names(ROOT)
        return sorted(name.split("/")[1] for name in names if name.count("/") == 2 and name.endswith(f"/{MANIFEST}"))

    def unfinished(self) -> list[str]:
        """What has objects, or begun ones, and no manifest: being made now, or left by a run that was killed."""
        begun = {name.split("/")[1] for name in (*self.store.names(ROOT), *self.objects.unfinished(ROOT))}
        return sorted(begun - set(self.ids()))

    def manifest(self, id: str) -> Manifest | None:
        """A snapshot's manifest; None if there is none.

        Raises:
            InputError: it is damaged, or another snapshot's.
        """
        stored = self.store.get(place(id, MANIFEST))
        if stored is None:
            return None
        where = f"{place(id, MANIFEST)} in {self.store}"
        manifest = decode(stored.body, Manifest, where)
        if manifest.id != id:
            raise InputError("a manifest lies in another snapshot's place", where=where, found=f"that of {manifest.id}")
        return manifest

    def find(self, wanted: str) -> Manifest:
        """The snapshot with this id, or one that only one id begins or ends with; or the newest.

        Raises:
            InputError: none, or several, answer to it.
        """
        known = self.ids()
        matches = self._newest(known) if wanted == NEWEST else [id for id in known if id == wanted]
        matches = matches or [id for id in known if id.startswith(wanted) or id.endswith(wanted)]
        if len(matches) != 1:
            raise InputError(
                f"{'several snapshots answer' if matches else 'no snapshot answers'} to {wanted}",
                where=str(self),
                found=", ".join((matches or known)[-5:]) or "no snapshots yet",
                mend="invoke backup.list" if known else "invoke backup.create",
            )
        manifest = self.manifest(matches[0])
        if manifest is None:
            raise InputError("the snapshot was removed just now", where=matches[0], mend="invoke backup.list")
        return manifest

    def _newest(self, known: Sequence[str]) -> list[str]:
        """The last; of those whose runs began in the same second, the one that shows the latest moment."""
        last = [id for id in known if id.partition("-")[0] == known[-1].partition("-")[0]]
        if len(last) < 2:
            return last
        taken = {manifest.taken: id for id in last if (manifest := self.manifest(id))}
        return [taken[max(taken)]] if taken else []

    def publish(self, manifest: Manifest) -> None:
        """Write the manifest, which makes the snapshot exist.

        Raises:
            SystemFault: there is another one in its place.
        """
        name, body = place(manifest.id, MANIFEST), encode(manifest)
        if self.store.put(name, body, replaces=None) is None:
            current = self.store.get(name)
            if current is None or current.body != body:
                raise SystemFault("another snapshot has this id", reason=Reason.FAILED, where=f"{name} in {self.store}")

    def remove(self, id: str) -> int:
        """Remove a snapshot: its manifest first, so that a half of it is never taken for whole."""
        return self.objects.remove(place(id, MANIFEST)) + self.objects.remove(place(id, ""))

    def clear(self, id: str) -> int:
        """Remove what is left of a snapshot that has no manifest; how many objects that were.

        Raises:
            SystemFault: it has one, so it is whole.
        """
        if self.store.get(place(id, MANIFEST)) is not None:
            raise SystemFault(
                "this is a whole snapshot", reason=Reason.FAILED, where=f"{place(id, '')} in {self.store}"
            )
        return self.objects.remove(place(id, ""))

    def read(self, manifest: Manifest, file: StoredFile) -> Iterator[bytes]:
        """An object's bytes as they lie in the store; the end comes only if all of them are those that were put there.

        Raises:
            SystemFault: the object is missing, or is not the one that was written.
        """
        import hashlib

        hashed, size = hashlib.sha256(), 0
        for piece in self.objects.download(place(manifest.id, file.name)):
            hashed.update(piece)
            size += len(piece)
            yield piece
        if problem := unlike(file, Digest(size, hashed.hexdigest())):
            raise SystemFault(
                "a snapshot is damaged",
                reason=Reason.BAD_ANSWER,
                where=f"{place(manifest.id, file.name)} in {self.store}",
                found=problem,
                mend=f"invoke backup.verify --snapshot {manifest.id}; restore another snapshot",
            )

    def misfit(self, manifest: Manifest, file: StoredFile) -> str:
        """Whether an object is missing or has another size, in words; its bytes are not read."""
        size = self.objects.size(place(manifest.id, file.name))
        if size is None:
            return f"{file.name} is missing"
        return "" if size == file.size else f"{file.name} has {size} bytes of {file.size}"

    def problem(
        self, manifest: Manifest, file: StoredFile, on_read: Callable[[int], None] = lambda _bytes: None
    ) -> str:
        """What is wrong with an object, or nothing. Its size is asked first, which costs no download."""
        if misfit := self.misfit(manifest, file):
            return misfit
        found = unlike(file, digest_of(self.objects.download(place(manifest.id, file.name)), on_read))
        return f"{file.name}: {found}" if found else ""


def place(id: str, name: str) -> str:
    """The name of a snapshot's object in the store."""
    return f"{ROOT}{id}/{name}"


def unlike(file: StoredFile, found: Digest) -> str:
    """How the bytes that were found are not those of the file; empty if they are."""
    if found.size != file.size:
        return f"{found.size} bytes of {file.size}"
    return "" if found.sha256 == file.sha256 else f"other bytes: SHA-256 {found.sha256[:16]}…, not {file.sha256[:16]}…"


def new_id(run: str) -> str:
    """The name of the snapshot that a run makes: when it began, and the end of its id, which no other run has."""
    return f"{run[:15]}Z-{run.rpartition('-')[2]}"
