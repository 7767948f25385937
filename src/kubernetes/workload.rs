//! The workload that runs a matrix for a source: a Job, an Indexed Job, a DaemonSet or a CronJob.

use std::num::NonZeroU32;

use super::objects::{
    CronJobSpec, DaemonSetSpec, ExitCodes, FailureOn, FailureRule, JobSpec, JobTemplate, Object,
    PodCondition, PodFailurePolicy, PodTemplate, RollingUpdate, Selector, Specified, UpdateStrategy,
};
use super::pod::{self, CONTAINER};
use super::{Document, Part, Runs, Settings, labels};

/// How often a pod is tried again that could not judge, or was lost.
const RETRIES: u32 = 3;

/// Expectations were missed: a result, which another run would only repeat.
const MISSED: u8 = 1;

/// The matrix or an option is wrong: so it is for every pod.
const USAGE: u8 = 2;

pub(super) fn workload(base: &str, part: &Part<'_>, document: Document<'_>, settings: &Settings) -> Object {
    let metadata = || labels::metadata(base, &part.name, part.namespace, part.label.as_deref());
    let template = pod::pod(base, part, document, settings);
    match &settings.runs {
        Runs::Job => Object::Job(Specified {
            api_version: "batch/v1",
            kind: "Job",
            metadata: metadata(),
            spec: job(template, settings),
        }),
        Runs::IndexedJob { shards } => Object::Job(Specified {
            api_version: "batch/v1",
            kind: "Job",
            metadata: metadata(),
            spec: indexed(job(template, settings), *shards),
        }),
        Runs::DaemonSet => Object::DaemonSet(Specified {
            api_version: "apps/v1",
            kind: "DaemonSet",
            metadata: metadata(),
            spec: DaemonSetSpec {
                selector: Selector {
                    match_labels: labels::own(base, part.label.as_deref()),
                },
                // Its pods are never ready, and an update that waits for them would not end.
                update_strategy: UpdateStrategy {
                    kind: "RollingUpdate",
                    rolling_update: RollingUpdate {
                        max_unavailable: "100%",
                    },
                },
                template,
            },
        }),
        Runs::CronJob { schedule } => {
            let mut of_job = metadata();
            (of_job.name, of_job.namespace) = (None, None);
            Object::CronJob(Specified {
                api_version: "batch/v1",
                kind: "CronJob",
                metadata: metadata(),
                spec: CronJobSpec {
                    schedule: schedule.to_string(),
                    // Two at a time would count each other's packets.
                    concurrency_policy: "Forbid",
                    starting_deadline_seconds: 600,
                    successful_jobs_history_limit: 3,
                    failed_jobs_history_limit: 3,
                    job_template: JobTemplate {
                        metadata: of_job,
                        spec: job(template, settings),
                    },
                },
            })
        }
    }
}

fn job(template: PodTemplate, settings: &Settings) -> JobSpec {
    JobSpec {
        completion_mode: None,
        completions: None,
        parallelism: None,
        backoff_limit: Some(RETRIES),
        backoff_limit_per_index: None,
        active_deadline_seconds: settings.deadline.as_secs(),
        ttl_seconds_after_finished: settings.keep.as_secs(),
        pod_failure_policy: policy(vec![on_exit("FailJob", vec![MISSED, USAGE])]),
        template,
    }
}

/// What one shard misses is no reason to stop the others.
fn indexed(job: JobSpec, shards: NonZeroU32) -> JobSpec {
    JobSpec {
        completion_mode: Some("Indexed"),
        completions: Some(shards.get()),
        parallelism: Some(shards.get()),
        backoff_limit: None,
        backoff_limit_per_index: Some(RETRIES),
        pod_failure_policy: policy(vec![
            on_exit("FailIndex", vec![MISSED]),
            on_exit("FailJob", vec![USAGE]),
        ]),
        ..job
    }
}

/// The first rule that holds counts. A pod that Kubernetes itself ends, to drain a node for instance, has not failed,
/// whatever code it ends with.
fn policy(rules: Vec<FailureRule>) -> PodFailurePolicy {
    let disrupted = FailureRule {
        action: "Ignore",
        on: FailureOn::Conditions(vec![PodCondition {
            kind: "DisruptionTarget",
            status: "True",
        }]),
    };
    PodFailurePolicy {
        rules: [disrupted].into_iter().chain(rules).collect(),
    }
}

fn on_exit(action: &'static str, values: Vec<u8>) -> FailureRule {
    FailureRule {
        action,
        on: FailureOn::ExitCodes(ExitCodes {
            container_name: CONTAINER,
            operator: "In",
            values,
        }),
    }
}
