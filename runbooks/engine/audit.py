"""Finds what was edited, removed or cut in an environment's run logs.

Three things vouch for a journal: its own chain of hashes, the anchor that the run put into the store when it ended, and
the first record of the run after it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runbooks.engine.errors import InputError
from runbooks.engine.journal import FILE_NAME, Chain, Record, read_chain
from runbooks.engine.runs import folders
from runbooks.engine.store import Store

ANCHORS = "runs/"
LOG = "log.md"


@dataclass(frozen=True)
class Damage:
    """One thing that is not as it was written."""

    run: str
    where: str
    found: str


def put_anchor(store: Store, run: str, record: Record, log: bytes) -> None:
    """Tell the store how far the run's journal goes and what its log reads; a resumed run replaces its own anchor.

    Raises:
        SystemFault: the store can't be asked.
    """
    name = f"{ANCHORS}{run}.json"
    anchor = {"run": run, "seq": record.seq, "hash": record.hash, "log": hashlib.sha256(log).hexdigest()}
    body = json.dumps(anchor).encode()
    stored = store.get(name)
    store.put(name, body, replaces=stored.version if stored else None)


def audit(root: Path, store: Store) -> tuple[int, list[Damage]]:
    """Check every run of an environment.

    Returns:
        How many journals were read, and what is wrong with them, oldest first.

    Raises:
        SystemFault: the store can't be asked.
    """
    chains = {folder.name: read_chain(folder / FILE_NAME) for folder in folders(root)}
    damage = [found for run, chain in chains.items() for found in _broken(run, chain)]
    for anchor in _anchors(store):
        damage += _against_anchor(root, chains, anchor)
    for run, chain in chains.items():
        before = chain.records[0].data.get("previous") if chain.records else None
        if isinstance(before, Mapping):
            damage += _against_successor(chains, before, successor=run)
    return len(chains), sorted(dict.fromkeys(damage), key=lambda found: found.run)


def _broken(run: str, chain: Chain) -> list[Damage]:
    if chain.break_line is not None:
        return [Damage(run, f"{FILE_NAME}:{chain.break_line}", chain.problem)]
    written_for = chain.records[0].data.get("run", run) if chain.records else run  # empty: killed before it began
    if written_for != run:
        return [Damage(run, f"{FILE_NAME}:1", f"the journal of another run: {written_for}")]
    return []


def _anchors(store: Store) -> list[Mapping[str, Any]]:
    anchors: list[Mapping[str, Any]] = []
    for name in store.names(ANCHORS):
        stored = store.get(name)
        if stored is None:
            continue
        try:
            anchor = json.loads(stored.body)
            anchors.append({**_mark(anchor), "log": str(anchor["log"])})
        except (ValueError, KeyError, TypeError) as error:
            raise InputError("an anchor in the store is damaged", where=f"{name} in {store}") from error
    return anchors


def _mark(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Which record a witness knows, and its hash."""
    seq = int(wanted["seq"])
    if seq < 1:
        raise ValueError("records are counted from 1")
    return {"run": str(wanted["run"]), "seq": seq, "hash": str(wanted["hash"])}


def _against_anchor(root: Path, chains: Mapping[str, Chain], anchor: Mapping[str, Any]) -> list[Damage]:
    run, seq = anchor["run"], anchor["seq"]
    if run not in chains:
        return [Damage(run, str(root), "the run's folder is missing, but the store holds its anchor")]
    damage = _vouched(chains, anchor, "the anchor in the store")
    log = root / run / LOG
    records = chains[run].records
    if not damage and len(records) > seq and records[seq].kind != "resumed":
        return [Damage(run, f"{FILE_NAME}:{seq + 1}", "added after the run had ended, without its being resumed")]
    if not damage and len(records) == seq:
        if not log.exists():
            return [Damage(run, LOG, "the run log is missing; the journal holds what it said: invoke runs.show")]
        content = log.read_bytes()
        if hashlib.sha256(content).hexdigest() != anchor["log"]:
            return [Damage(run, LOG, "the run log was edited: it is not the one that the run wrote")]
    return damage


def _against_successor(chains: Mapping[str, Chain], before: Mapping[str, Any], successor: str) -> list[Damage]:
    try:
        before = _mark(before)
    except (ValueError, KeyError, TypeError):
        return [Damage(successor, f"{FILE_NAME}:1", "what it says of the run before it can't be read")]
    run = before["run"]
    if run not in chains:
        return [Damage(run, "the run's folder", f"missing, but run {successor} began after it")]
    return _vouched(chains, before, f"run {successor}, which began after it")


def _vouched(chains: Mapping[str, Chain], wanted: Mapping[str, Any], witness: str) -> list[Damage]:
    run, seq = wanted["run"], wanted["seq"]
    records = chains[run].records
    if len(records) < seq:
        if chains[run].break_line is not None:
            return []  # already reported where it breaks
        return [Damage(run, FILE_NAME, f"cut after record {len(records)}; {witness} knows {seq}")]
    if records[seq - 1].hash != wanted["hash"]:
        return [Damage(run, f"{FILE_NAME}:{seq}", f"rewritten: {witness} knows another record {seq}")]
    return []
