"""The command ``tools/benchmark.py``."""

from __future__ import annotations

import argparse
import math
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from ltkit.apis.arguments import check_work_dir, positive_number, seed_number
from ltkit.utils.errors import ConfigError

from .config import load_benchmark
from .progress import BenchmarkProgress
from .report import make_report, write_report
from .runs import REFERENCE, Run, only_methods, plan
from .scheduler import Scheduler, slots
from .second_stages import check_hand_overs
from .step_times import ITERATIONS, ROUNDS, time_steps
from .tables import by_factor, cell, columns_of, heading, title_of
from .workplace import RunFolder

SHOWN = ('top1', 'ra', 'many', 'medium', 'few')
DEFAULT_FOLDER = Path('work_dirs') / 'benchmarks'


def parser() -> argparse.ArgumentParser:
    """The arguments of the command."""
    made = argparse.ArgumentParser(
        description='Run methods x imbalance factors x seeds, with the references of UA and RA, and write '
        'the honest table. Called again it goes on where it was stopped.'
    )
    made.add_argument('config', help='benchmark config, such as configs/benchmarks/digits.py')
    made.add_argument(
        '--work-dir', type=Path, help=f'folder of runs and report (default: {DEFAULT_FOLDER}/NAME)'
    )
    made.add_argument(
        '--references',
        type=Path,
        metavar='DIR',
        help='folder of the runs on balanced sets, to share them between benchmarks '
        '(default: WORK_DIR/references)',
    )
    made.add_argument('--jobs', type=positive_number, help='runs at once (default: the GPUs, or the cores)')
    made.add_argument('--only', nargs='+', metavar='METHOD', help='run these methods (the report has all)')
    made.add_argument('--seeds', nargs='+', type=seed_number, help="in place of the config's")
    made.add_argument('--no-reference', action='store_true', help='no runs on balanced sets, so no UA and RA')
    made.add_argument('--timeout', type=_seconds, metavar='SECONDS', help='stop a run that takes longer')
    instead = made.add_mutually_exclusive_group()
    instead.add_argument(
        '--report-only', action='store_true', help='start nothing, write the report of what is there'
    )
    instead.add_argument(
        '--time-steps',
        action='store_true',
        help="train nothing, measure each method's training step against the baseline's for the reports to come",
    )
    made.add_argument(
        '--rounds', type=positive_number, default=ROUNDS, help=f'of --time-steps: turns (default: {ROUNDS})'
    )
    made.add_argument(
        '--iterations',
        type=positive_number,
        default=ITERATIONS,
        help=f'of --time-steps: training steps of a turn (default: {ITERATIONS})',
    )
    return made


def main(train_command: Sequence[str], arguments: Sequence[str] | None = None) -> int:
    """Run a benchmark.

    Args:
        train_command (Sequence[str]): What trains by a config: python and
            ``tools/train.py``.
        arguments (Sequence[str], optional): Defaults to the command line's.

    Returns:
        int: 0, or 1 when a run has failed.
    """
    args = parser().parse_args(arguments)
    benchmark = load_benchmark(args.config)
    if args.seeds and len(set(args.seeds)) < len(args.seeds):
        raise ConfigError(f'--seeds names a seed twice: {args.seeds}')
    runs = plan(benchmark, args.seeds, not (args.no_reference or args.time_steps))
    chosen = runs if args.only is None else only_methods(benchmark, runs, args.only)
    root = args.work_dir or DEFAULT_FOLDER / benchmark.name
    references = args.references or root / 'references'
    _check_folder('--work-dir', root)
    _check_folder('--references', references)

    def folder_of(run: Run) -> Path:
        return (references if run.role == REFERENCE else root / 'runs') / run.folder

    if args.time_steps:
        path = time_steps(benchmark, runs, [run.method for run in chosen], root, args.rounds, args.iterations)
        print(f'\ntimes:  {path}; the reports from now on show them (--report-only writes one)')
        return 0
    failed = 0
    if not args.report_only:
        distinct: dict[str, Run] = {}
        for run in chosen:
            distinct.setdefault(run.identity, run)  # of two names of one run the first is shown
        check_hand_overs(list(distinct.values()), benchmark.file, folder_of)
        failed = _train(list(distinct.values()), folder_of, list(train_command), args.jobs, args.timeout)
    command = shlex.join(
        ['python', 'tools/benchmark.py', *(arguments if arguments is not None else sys.argv[1:])]
    )
    report = make_report(benchmark, runs, folder_of, root, command)
    path = write_report(report, root)
    _print_tables(report)
    print(
        f'\npage:   {path}\ntables: {root / "table.md"}, {root / "table.tex"}\n'
        f'data:   {root / "results.json"}'
    )
    if failed:
        print(f'{failed} run(s) failed; the same command tries them again', file=sys.stderr)
    return 1 if failed else 0


def _train(
    runs: list[Run],
    folder_of: Callable[[Run], Path],
    command: list[str],
    jobs: int | None,
    timeout: float | None,
) -> int:
    """See all runs to their end; how many have failed."""
    places = slots(jobs)
    known = {}
    for run in runs:
        results = RunFolder(folder_of(run)).results()
        if results is not None and results.get('seconds') and not results.get('resumed'):
            known[run.identity] = float(results['seconds'])
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with BenchmarkProgress(runs, len(places), known) as progress:
            scheduler = Scheduler(command, folder_of, places, timeout, progress.event, progress.tick)
            outcomes = scheduler.run(runs)
    finally:
        signal.signal(signal.SIGTERM, before)
    return sum(outcome.status == 'failed' for outcome in outcomes)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """SIGTERM ends the children as Ctrl-C does."""
    raise KeyboardInterrupt


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not value > 0:
        raise argparse.ArgumentTypeError(f'must be a number of seconds above 0, but is {text}')
    return value


def _check_folder(option: str, folder: Path) -> None:
    try:
        check_work_dir(str(folder))
    except ConfigError as error:
        raise ConfigError(str(error).replace('--work-dir', option)) from error


def _print_tables(report: dict[str, Any]) -> None:
    """The main columns with one decimal, which a window of 80 columns can hold."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        console = Console(width=120)  # nobody's window ends there
    for rows in by_factor(report['rows']).values():
        columns = columns_of(rows, SHOWN)
        table = Table('method', title=Text(heading(rows[0], report['title'])), title_justify='left')
        table.columns[0].no_wrap = True
        for column in columns:
            table.add_column(Text(title_of(column, report['baseline'])), justify='right', no_wrap=True)
        for row in rows:
            name = Text(row['method'])
            table.add_row(name, *(cell(row, column, plus_minus='±', decimals=1) for column in columns))
        console.print(table)
