"""How ``bench`` ends: as text, as Markdown, as a page, as JSON."""

from __future__ import annotations

import argparse

from director.benching.bench import no_bench
from director.benching.records import BenchRecords
from director.benching.report import BenchReport, report_of
from director.command_line.context import Context, find_home, wants_json
from director.command_line.output import style_of_output
from director.command_line.result import Result
from director.model.errors import ExitCode
from director.model.format import counted
from director.records import files
from director.reporting.bench_table import render_bench
from director.reporting.experiment.markdown import experiment_markdown
from director.reporting.experiment.table import experiment_lines, runs_in_words
from director.reporting.experiment.words import ONE_SAMPLE

AGAIN = "run the same command again"


def result_of(args: argparse.Namespace, context: Context, report: BenchReport) -> Result:
    """Return what a bench came to, and write its page."""
    records = BenchRecords(find_home(args, context))
    if not report.findings.asked.is_single:
        write_page(records, report)
    return _result(args, context, report, records)


def write_page(records: BenchRecords, report: BenchReport) -> None:
    """Write ``bench/report.html``."""
    from director.reporting.experiment.page import experiment_page

    summary = report.to_json()
    page = experiment_page(report.findings, summary, records.redactor)
    files.write_text(records.page, page)


def print_earlier(args: argparse.Namespace, context: Context) -> int:
    """Print what the last bench says, from its records."""
    records = BenchRecords(find_home(args, context))
    experiment = records.experiment()
    if experiment is not None:
        report = report_of(records, experiment.asked)
        text = "" if wants_json(args) else _text(args, context, report, records)
        what = runs_in_words(report.findings)
        return context.finish(args, Result(text, report.to_json(), what=what, job_id=report.job_id))
    summary = files.read_json(records.summary)
    if summary is None:
        raise no_bench()
    return context.finish(args, Result(render_bench(summary), summary))


def _result(
    args: argparse.Namespace, context: Context, report: BenchReport, records: BenchRecords
) -> Result:
    code, what, next_step = _ending(report)
    lost = (row.row.reason for row in report.findings.samples if not row.counts)
    rows = (row.reason for row in report.rows if not row.ok)
    single = report.findings.asked.is_single
    reason = report.stop.reason if report.stop else next(rows if single else lost, None)
    text = "" if wants_json(args) else _text(args, context, report, records)
    return Result(text, report.to_json(), code, what, next_step, reason, job_id=report.job_id)


def _ending(report: BenchReport) -> tuple[ExitCode, str, str]:
    """Return the exit code, what happened, and what to do next."""
    found = report.findings
    if report.stop:
        return ExitCode.STOPPED, f"stopped: {report.stop.what}", report.stop.next_step
    if found.asked.is_single:
        return _of_rows(report)
    what = runs_in_words(found)
    if not found.complete:
        lost = counted(found.wanted - found.counted, "run")
        return (
            ExitCode.STOPPED,
            f"{what}; {lost} stopped for an outside reason",
            f"{AGAIN} to repeat those",
        )
    more = [one.more_repeats for one in found.comparisons if one.more_repeats]
    return ExitCode.DONE, what, f"director bench --more {min(more)}" if more else ""


def _of_rows(report: BenchReport) -> tuple[ExitCode, str, str]:
    behind = [row.profile for row in report.rows if not row.ok]
    what = f"{counted(len(report.rows), 'profile')} compared"
    if not behind:
        return ExitCode.DONE, what, ""
    what += f"; not finished: {', '.join(behind)}"
    next_step = "see why in the table, then run the command again"
    return ExitCode.WORK_FAILED, what, next_step


def _text(
    args: argparse.Namespace, context: Context, report: BenchReport, records: BenchRecords
) -> str:
    if args.markdown:
        return experiment_markdown(report.findings)
    stopped = f"\n\nstopped: {report.stop.what}" if report.stop else ""
    if report.findings.asked.is_single:
        return f"{render_bench(report.to_json())}\n\n{ONE_SAMPLE}{stopped}"
    style = style_of_output(args, context)
    lines = "\n".join(experiment_lines(report.findings, style))
    page = f"\n\nFull report, with charts: {records.page}" if records.page.exists() else ""
    return f"{lines}{page}{stopped}"
