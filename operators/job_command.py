# SPDX-License-Identifier: GPL-3.0-or-later
"""``holdfast jobs``: what was sent where and what it cost; go on with it, agree, decide, headless."""

import argparse
import time

import bpy

from ..clients.descriptor import Catalogue, Service, read_catalogue
from ..clients.keys import KEYRING_S
from ..clients.settings import read, settled
from ..pipeline import consent, jobs_decide, secret
from ..pipeline.context import Context
from ..pipeline.errors import ExitCode, InputError
from ..pipeline.jobs import Job, JobStore, Step
from ..pipeline.jobs_index import WORKING, YOUR_TURN
from ..pipeline.money import words
from ..pipeline.reporting import Reporter
from ..pipeline.worker import run_in_foreground
from . import job_consent, job_services, job_settings, locate
from .job_services import look, online
from .job_worker import FUNCTION

WIDTHS = (10, 12, 34, 16, 10, 10)
TITLES = ("job", "service", "model", "shot", "state", "cost")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("--run", action="store_true", help="go on with all jobs until none is left")
    parser.add_argument(
        "--agree", "--consent", action="append", default=[], metavar="SERVICE",
        help="agree that jobs are sent to this service; recorded in the ledger",
    )  # fmt: skip
    parser.add_argument(
        "--take-back", action="append", default=[], metavar="SERVICE", help="nothing more is sent there"
    )
    parser.add_argument(
        "--settings", action="store_true", dest="list_settings",
        help="list the settings of services; change one with --set SERVICE.NAME=VALUE, it is kept in services.toml",
    )  # fmt: skip
    parser.add_argument(
        "--usual",
        action="append",
        default=[],
        metavar="SERVICE.NAME",
        help="the usual value of a setting again",
    )
    parser.add_argument(
        "--cancel",
        action="append",
        default=[],
        metavar="ID",
        help="stop a job (a beginning of its id will do)",
    )
    parser.add_argument(
        "--never-arrived",
        action="append",
        default=[],
        metavar="ID",
        help="of a job in doubt: the service has no such job",
    )
    parser.add_argument(
        "--found",
        nargs=2,
        action="append",
        default=[],
        metavar=("ID", "REMOTE_ID"),
        help="of a job in doubt: it is there, under this id",
    )


def run(given: argparse.Namespace, reporter: Reporter) -> int:
    """Does what is asked for in the order set, agree, decide, run; then lists. Raises HoldfastError; returns an exit code."""
    project = locate.project()
    plain = read_catalogue(project.catalogue())
    for text in given.settings:
        reporter.log(job_settings.keep(project.root, plain, text))
    for text in given.usual:
        reporter.log(job_settings.take_out(project.root, plain, text))
    catalogue = settled(plain, read(project.root))
    if given.list_settings:
        job_settings.show(plain, read(project.root), reporter)
        return ExitCode.OK
    for name in given.agree:
        service = _service(catalogue, name)
        for title, says in job_services.what_leaves(service, catalogue):
            reporter.log(f"{title}: {says}")
        job_consent.agree(project.root, service, catalogue)
        reporter.log(f"Agreed: jobs may be sent to {service.label}.")
    for name in given.take_back:
        job_consent.take_back(project.root, _service(catalogue, name))
        reporter.log(f"Taken back: nothing more is sent to {name}.")
    store = JobStore(project.root)
    for name in given.cancel:
        job = jobs_decide.cancel(store, jobs_decide.one(store, name).id)
        reporter.log(f"{job.id[:8]} is {job.step}.")
    for name in given.never_arrived:
        jobs_decide.never_arrived(store, jobs_decide.one(store, name).id)
    for name, remote in given.found:
        jobs_decide.found(store, jobs_decide.one(store, name).id, remote)
    code = _go_on(store, catalogue, reporter) if given.run else ExitCode.OK
    _list(store, reporter)
    return code


def _service(catalogue: Catalogue, name: str) -> Service:
    if name not in catalogue.services:
        there = ", ".join(sorted(catalogue.services))
        raise InputError(f"There is no service {name!r}", todo=f"The catalogue has {there}.")
    return catalogue.services[name]


def _go_on(store: JobStore, catalogue: Catalogue, reporter: Reporter) -> ExitCode:
    """Runs what may run. REFUSED if a job may not, BUSY if one is in doubt, REJECTED if one failed."""
    going, refused = [], False
    hosts = consent.agreed(store.project)
    for job in store.jobs((*WORKING, Step.UNCERTAIN), most=1_000_000):
        if job.step is Step.UNCERTAIN and job.says.endswith(YOUR_TURN):
            reporter.log(f"{job.id[:8]}: {job.says}")
            continue
        why = _why_not(job, catalogue, hosts.get(job.provider, ()))
        if why:
            reporter.log(f"{job.id[:8]}: {why}")
            refused = True
        else:
            going.append(job.id)
    if going:
        request = {
            "project": str(store.project),
            "online": online(),
            "catalogue": [str(path) for path in locate.project().catalogue()],
            "jobs": going,
        }
        context = Context(
            lambda fraction, message: reporter.progress("jobs", fraction, message), reporter.log
        )
        run_in_foreground(FUNCTION, request, context, bpy.app.python_args, secret.held())
    after = [store.get(job_id).step for job_id in going]
    if refused:
        return ExitCode.REFUSED
    if store.jobs((Step.UNCERTAIN,), most=1):
        return ExitCode.BUSY
    return ExitCode.REJECTED if Step.FAILED in after else ExitCode.OK


def _why_not(job: Job, catalogue: Catalogue, agreed: tuple[str, ...]) -> str:
    service = catalogue.services.get(job.provider)
    if service is None:
        return f"{job.provider} is in no catalogue any more. Put its entry back."
    known = look(service, agreed, KEYRING_S)
    if not known.key:
        return known.problem or f"There is no key for {service.label}. Set {' or '.join(service.keys)}."
    if known.local:
        return ""
    if not online():
        return "Blender is offline, so nothing is sent. Start it with --online-mode."
    return (
        ""
        if known.agreed
        else f"Nobody agreed to send anything to {service.label}. Pass --agree {service.id}."
    )


def _list(store: JobStore, reporter: Reporter) -> None:
    now = time.time()
    today = store.spent(since=now - now % 86400)
    reporter.log(_line(TITLES))
    for job in store.jobs(most=1_000_000):
        cost = words(job.counts, job.currency)
        about = "~" if job.counts and job.cost < 0 else ""
        reporter.log(_line((job.id[:8], job.provider, job.model, job.shot, str(job.step), about + cost)))
        reporter.event(
            "job", id=job.id, service=job.provider, model=job.model, shot=job.shot, state=str(job.step),
            price_micros=job.price, cost_micros=None if job.cost < 0 else job.cost, counts_micros=job.counts,
            currency=job.currency, made=job.created, says=job.says,
        )  # fmt: skip
    total = store.spent()
    reporter.event("spent", today_micros=today, project_micros=total)
    reporter.log(
        f"Spent today {words(today) if today else '$0'}, in this project {words(total) if total else '$0'}."
    )


def _line(cells: tuple[str, ...]) -> str:
    return "".join(f"{text:<{width}}" for text, width in zip(cells, WIDTHS, strict=True)).rstrip()
