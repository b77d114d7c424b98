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
        if chain.records and (before := chain.records[0].data.get("previous")):
            damage += _against_successor(chains, before, successor=run)
    return len(chains), sorted(set(damage), key=lambda found: found.run)


def _broken(run: str, chain: Chain) -> list[Damage]:
    if chain.break_line is not None:
        return [Damage(run, f"{FILE_NAME}:{chain.break_line}", chain.problem)]
    if not chain.records:
        return [Damage(run, FILE_NAME, "the journal is empty")]
    return []


def _anchors(store: Store) -> list[Mapping[str, Any]]:
    anchors = []
    for name in store.names(ANCHORS):
        stored = store.get(name)
        if stored is None:
            continue
        try:
            anchors.append(json.loads(stored.body))
        except ValueError as error:
            raise InputError("an anchor in the store is damaged", where=f"{name} in {store}") from error
    return anchors


def _against_anchor(root: Path, chains: Mapping[str, Chain], anchor: Mapping[str, Any]) -> list[Damage]:
    run = str(anchor["run"])
    if run not in chains:
        return [Damage(run, str(root), "the run's folder is missing, but the store holds its anchor")]
    damage = _vouched(chains, anchor, "the anchor in the store")
    log = root / run / LOG
    if not damage and len(chains[run].records) == anchor["seq"]:
        content = log.read_bytes() if log.exists() else b""
        if hashlib.sha256(content).hexdigest() != anchor["log"]:
            return [Damage(run, LOG, "the run log was edited: it is not the one that the run wrote")]
    return damage


def _against_successor(chains: Mapping[str, Chain], before: Mapping[str, Any], successor: str) -> list[Damage]:
    run = str(before["run"])
    if run not in chains:
        return [Damage(run, "the run's folder", f"missing, but run {successor} began after it")]
    return _vouched(chains, before, f"run {successor}, which began after it")


def _vouched(chains: Mapping[str, Chain], wanted: Mapping[str, Any], witness: str) -> list[Damage]:
    run, seq = str(wanted["run"]), int(wanted["seq"])
    records = chains[run].records
    if len(records) < seq:
        if chains[run].break_line is not None:
            return []  # already reported where it breaks
        return [Damage(run, FILE_NAME, f"cut after record {len(records)}; {witness} knows {seq}")]
    if records[seq - 1].hash != wanted["hash"]:
        return [Damage(run, f"{FILE_NAME}:{seq}", f"rewritten: {witness} knows another record {seq}")]
    return []
