"""The Python API on one page: each method, and the module that implements it.

Each method is a function that takes the bridge as its first argument: `help(Bridge.submit)` shows its signature.
`AsyncBridge` has the same methods for asyncio.
"""

from __future__ import annotations

from ftbridge import data
from ftbridge.comparison import compare as comparison
from ftbridge.context import Context
from ftbridge.costs import month
from ftbridge.deployments import deploy as deploying
from ftbridge.deployments import listing as deployed
from ftbridge.distillation import distill as distillation
from ftbridge.evaluation import evaluate as evaluation
from ftbridge.improvement import improve as improvement
from ftbridge.jobs import cancel_pause_resume as control
from ftbridge.jobs import listing, results
from ftbridge.jobs import submit as submitting
from ftbridge.jobs.recovery import ledger_recovery
from ftbridge.jobs.recovery import recover as recovery
from ftbridge.migration import all_jobs, plan
from ftbridge.migration import lifecycle as endings
from ftbridge.removal import delete as deletion
from ftbridge.removal import prune as pruning
from ftbridge.report import write as reports
from ftbridge.sweep import sweep as sweeping
from ftbridge.trainer_configs import export as config_export
from ftbridge.trainer_configs import read_config
from ftbridge.verification import verify as verification
from ftbridge.watching import follow, tracking


class Bridge(Context):
    """One dataset, one job, any provider.

    >>> bridge = Bridge()                                            # doctest: +SKIP
    >>> job = bridge.submit("support.jsonl", to="local:tiny", epochs=3)
    >>> job = bridge.wait(job)
    >>> print(bridge.chat(job, "Where is my order?"))
    """

    # datasets, by the rules of a target
    check = data.check  #                               all findings in a dataset
    convert = data.convert  #                           the file in the target's format
    count_tokens = data.count_tokens  #                 by the tokenizer of the target's model
    render = data.render  #                             rows as the model reads them, and which tokens are trained

    distill = distillation.distill  #                   a teacher's answers as training rows

    # jobs
    submit = submitting.submit  #                       check, convert, upload, start: no job is paid for twice
    jobs = listing.list_jobs  #                         as the ledger has them
    job = listing.find_job
    refresh = listing.refresh  #                        poll the providers once
    watch = follow.watch  #                             each event as it comes, until all are over
    wait = follow.wait
    events = listing.events  #                          a job's history
    report = tracking.report  #                         to TensorBoard, MLflow, Weights & Biases
    cancel = control.cancel
    pause = control.pause
    resume = control.resume
    recover = recovery.recover  #                       finish what a crash or a lost answer left open
    adopt = recovery.adopt  #                           take the vendor's job of that ID for this one
    recover_from_vendors = ledger_recovery.adopt_listed  # fill a lost ledger from the vendors' lists
    import_jobs = ledger_recovery.import_jobs  #        an account's jobs into the ledger

    # other trainers
    export_config = config_export.export_config  #      a dataset or a job as their config, with its rows
    import_config = read_config.import_config  #        the job that their config describes

    # results
    fetch = results.fetch  #                            adapter, weights, metrics
    export = results.export  #                          merged, GGUF, Ollama
    chat = results.chat
    stream = results.stream  #                          the same, in pieces as they arrive
    evaluate = evaluation.evaluate  #                   on held-out rows, against the base or another job
    improve = improvement.improve  #                    what the failures say about the data, and a second round
    verify = verification.verify  #                     is what is served what was trained?
    write_report = reports.write_report  #              what was trained, and whether it helped, as one HTML file
    deploy = deploying.deploy
    undeploy = deploying.undeploy
    deployments = deployed.list_deployments
    past_deployments = deployed.past_deployments
    jobs_with_max_hours = deployed.jobs_with_max_hours

    checkpoints = results.checkpoints  #                with step and losses

    # many jobs
    sweep = sweeping.sweep  #                           hyperparameters at several targets, within one budget
    resume_sweep = sweeping.resume_sweep

    # what is left of jobs
    prune = pruning.prune  #                            data of jobs that are over, from this machine
    delete = deletion.delete  #                         one job's files, here and at its vendor, with a receipt

    # costs and moving
    compare = comparison.compare  #                     one dataset at several targets
    costs = month.costs_of_month
    plan_migration = plan.plan_migration  #             a job at another target: carried, changed, dropped
    migrate = plan.migrate
    plan_all = all_jobs.plan_all  #                     all of a provider's jobs
    migrate_all = all_jobs.migrate_all
    check_total = all_jobs.check_total
    moves = plan.moves_of
    lifecycle = endings.endings  #                      which models and jobs end, and when
