"""Compares a search with the one that a folder holds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from mtl_keras.tuning.fingerprint import (
    Fingerprint,
    code_differences,
    data_differences,
)
from mtl_keras.tuning.search_settings import differences
from mtl_keras.tuning.trial_record import COMPLETED

_KEPT = "Choose another name, restore {what}, or pass overwrite=True, which "
_LOST = "deletes the {count} completed trials and starts from nothing."


@dataclasses.dataclass(frozen=True)
class SearchHistory:
    """The search that a folder holds.

    Args:
        settings: Its settings, see `describe_search`.
        fingerprint: Its last fingerprint, see `make_fingerprint`. It is empty
            in the journal of an earlier version.
        completed: Number of completed trials.
        failed: Numbers of the failed trials, as strings.
    """

    settings: Mapping[str, Any]
    fingerprint: Fingerprint
    completed: int
    failed: tuple[str, ...]

    def code_changes(self, fingerprint: Fingerprint) -> list[str]:
        """Lists changes of callbacks and factory.

        Args:
            fingerprint: Fingerprint of the new search.
        """
        return code_differences(self.fingerprint, fingerprint)

    def has_changed(self, settings: Mapping, fingerprint: Fingerprint) -> bool:
        """Checks whether anything differs.

        Args:
            settings: Settings of the new search.
            fingerprint: Fingerprint of the new search.
        """
        return bool(
            not self.fingerprint
            or differences(self.settings, settings)
            or data_differences(self.fingerprint, fingerprint)
            or self.code_changes(fingerprint)
        )

    def check(
        self,
        folder,
        settings: Mapping,
        fingerprint: Fingerprint,
        *,
        retry_failed: bool,
    ) -> None:
        """Checks that the new search continues this one.

        Args:
            folder: The folder.
            settings: Settings of the new search.
            fingerprint: Fingerprint of the new search.
            retry_failed: Whether callbacks and factory may differ.

        Raises:
            ValueError: If anything else differs.
        """
        if not self.fingerprint:
            raise ValueError(
                f"The folder '{folder}' holds a search of an earlier version, "
                "which did not record its data, so they may differ. "
                f"{self._ways_out('that version')}"
            )
        found = differences(self.settings, settings)
        if found:
            raise ValueError(
                f"The folder '{folder}' holds another search; the settings "
                f"differ: {'; '.join(found)}. {self._ways_out('the settings')}"
            )
        found = data_differences(self.fingerprint, fingerprint)
        if found:
            raise ValueError(
                f"The folder '{folder}' holds a search on other data; these "
                f"differ: {', '.join(found)}. {self._ways_out('the data')}"
            )
        found = self.code_changes(fingerprint)
        if found and not retry_failed:
            raise ValueError(
                f"The folder '{folder}' holds a search with {self.completed} "
                f"completed trials, from which these differ: "
                f"{', '.join(found)}. Choose another name, restore them, or "
                "pass retry_failed=True, which keeps the completed trials, "
                "runs the failed ones again and records the change."
            )

    def _ways_out(self, what: str) -> str:
        return _KEPT.format(what=what) + _LOST.format(count=self.completed)


def read_history(events: Sequence[Mapping]) -> SearchHistory:
    """Reads the search of a journal.

    Args:
        events: The events, one or more.
    """
    first = events[0]
    fingerprint, statuses = first.get("fingerprint", {}), {}
    for event in events[1:]:
        if event["event"] == "end":
            statuses[event["trial"]] = event["record"]["status"]
        elif event["event"] == "retry":
            fingerprint = event["fingerprint"]
            for trial in event["trials"]:
                del statuses[trial]
    done = [t for t, status in statuses.items() if status == COMPLETED]
    return SearchHistory(
        settings=first["settings"],
        fingerprint=fingerprint,
        completed=len(done),
        failed=tuple(trial for trial in statuses if trial not in done),
    )
