"""What a person sees while a benchmark runs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from .runs import Run
from .scheduler import Outcome

MARKS = dict(finished='[green]finished[/]', skipped='[dim]had finished[/]', failed='[red]failed[/]')


class BenchmarkProgress:
    """A bar with the time left, and a line for each run that ends.

    Where the output is no terminal, the line has the count and the time left.
    The time left is that of the runs to come, each estimated by runs of the same
    config (else by all) that went through in one go, divided by the runs that go on at once.

    Args:
        runs (Sequence[Run]): All runs.
        jobs (int): Runs at once.
        known (Mapping, optional): Seconds of runs that had finished, by identity.
    """

    def __init__(self, runs: Sequence[Run], jobs: int, known: Mapping[str, float] | None = None) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self.runs = {run.identity: run for run in runs}
        self.jobs = jobs
        self.known = dict(known or {})
        self.ended: set[str] = set()
        self._before = set(self.known)
        self.failed = 0
        self._busy: set[str] = set()
        self._resumed: set[str] = set()
        self._running: Mapping[str, float] = {}
        self._shown = 0.0
        self._progress = Progress(
            TextColumn('{task.description}'),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn('left {task.fields[left]}'),
        )
        self._bar = self._progress.add_task('starting', total=len(self.runs), left='-')

    def __enter__(self) -> BenchmarkProgress:
        self._progress.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.__exit__(kind, value, trace)

    def event(self, event: str, run: Run, outcome: Outcome | None) -> None:
        """Told by the scheduler."""
        if event == 'resume':
            self._resumed.add(run.identity)
            self._print(f'[yellow]resuming[/] {_plain(run.label)}')
        elif event == 'busy' and run.identity not in self._busy:
            self._busy.add(run.identity)
            self._print(f'[yellow]waiting[/] for another process that trains {_plain(run.label)}')
        elif outcome is not None:
            self.ended.add(run.identity)
            if outcome.status == 'finished' and run.identity not in self._resumed:
                self.known[run.identity] = outcome.seconds
            took = f' in {duration(outcome.seconds)}' if outcome.status == 'finished' else ''
            self.failed += outcome.status == 'failed'
            self._print(
                f'{self._so_far()}{MARKS[outcome.status]} {_plain(run.label)}{took}'
                f'{": " + _plain(outcome.error) if outcome.error else ""}'
            )
            self._progress.update(self._bar, completed=len(self.ended))
            if len(self.ended) == len(self.runs):
                self._show({})

    def _so_far(self) -> str:
        """What the bar would show, where there is none because the output goes into a file or a pipe."""
        if self._progress.console.is_terminal:
            return ''
        left = self.seconds_left(self._running)
        return f'{len(self.ended)}/{len(self.runs)}{"" if left is None else f", left {duration(left)}"}: '

    def tick(self, running: Mapping[str, float]) -> None:
        """Told by the scheduler at each look, with the seconds of each run going on."""
        self._running = running
        if time.monotonic() - self._shown < 0.5:
            return
        self._shown = time.monotonic()
        self._show(running)

    def _show(self, running: Mapping[str, float]) -> None:
        left = self.seconds_left(running)
        text = f'{len(running)} running' if len(self.ended) < len(self.runs) else 'all ended'
        text += f', [red]{self.failed} failed[/]' if self.failed else ''
        self._progress.update(self._bar, description=text, left='-' if left is None else duration(left))

    def seconds_left(self, running: Mapping[str, float]) -> float | None:
        """Seconds to the end; None where no run has ended by which to tell."""
        to_come = {key: run for key, run in self.runs.items() if key not in self.ended | self._before}
        if not self.known or not to_come:
            return None if to_come else 0.0
        by_config: dict[str, list[float]] = {}
        for key, seconds in self.known.items():
            if key in self.runs:
                by_config.setdefault(self.runs[key].config, []).append(seconds)
        mean = sum(self.known.values()) / len(self.known)
        left, longest = 0.0, 0.0
        for key, run in to_come.items():
            own = by_config.get(run.config)
            rest = max(0.0, (sum(own) / len(own) if own else mean) - running.get(key, 0.0))
            left, longest = left + rest, max(longest, rest)
        return max(left / self.jobs, longest)

    def _print(self, text: Any) -> None:
        self._progress.console.print(text, soft_wrap=True, highlight=False, emoji=False)


def duration(seconds: float) -> str:
    """``42 s``, ``5:07 min`` or ``3:20 h``."""
    seconds = round(seconds)
    if seconds < 60:
        return f'{seconds} s'
    return (
        f'{seconds // 60}:{seconds % 60:02d} min'
        if seconds < 3600
        else f'{seconds // 3600}:{seconds % 3600 // 60:02d} h'
    )


def _plain(text: str | None) -> str:
    """Text without meaning to rich."""
    from rich.markup import escape

    return escape(text or '')
