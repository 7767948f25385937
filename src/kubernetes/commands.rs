//! The commands that run, await, collect and delete what was made, as the manifests' opening comment has them.

use super::labels::MATRIX;
use super::pod::CONTAINER;
use super::{OLDEST, Power, Runs, Settings};

/// What the commands are about.
#[derive(Debug)]
pub(super) struct Commands<'a> {
    /// What everything is called.
    pub(super) base: &'a str,
    /// Where it lives; absent for the namespace that `kubectl` is set to.
    pub(super) namespaces: Vec<Option<&'a str>>,
    /// The workloads, each by its namespace and its name.
    pub(super) workloads: Vec<(Option<&'a str>, &'a str)>,
}

impl Commands<'_> {
    /// The lines of the comment.
    pub(super) fn header(&self, settings: &Settings) -> Vec<String> {
        let image = &settings.image;
        let what = match settings.runs {
            Runs::Job => "one Job a source",
            Runs::IndexedJob { .. } => "one Indexed Job a source, whose pods share its edges",
            Runs::DaemonSet => "one DaemonSet a source, a pod on every node",
            Runs::CronJob { .. } => "one CronJob a source",
        };
        let power = match settings.power {
            Power::Restricted => "Its pods are what PodSecurity's level \"restricted\" wants.",
            Power::Raw => {
                "Its pods are root with NET_RAW: their namespaces must permit PodSecurity's level \"privileged\"."
            }
        };
        let mut lines = vec![
            format!(
                "A matrix as {what}, by tcpprobe {}, for Kubernetes {OLDEST} or later.",
                env!("CARGO_PKG_VERSION")
            ),
            power.to_owned(),
            format!(
                "The image is {image}: in the sources of tcpprobe, \"docker build -t {image} .\" makes it."
            ),
        ];
        for (title, command) in self.commands(settings) {
            lines.extend([String::new(), title.to_owned()]);
            lines.extend(command.lines().map(|line| format!("  {line}")));
        }
        lines
    }

    fn commands(&self, settings: &Settings) -> Vec<(&'static str, String)> {
        let apply = "kubectl apply --server-side -f FILE".to_owned();
        let answer = (
            "The answer, of all sources:",
            self.logs("--tail=-1", &settings.runs),
        );
        match settings.runs {
            Runs::Job | Runs::IndexedJob { .. } => vec![
                ("Run it (delete it first to run it again):", apply),
                ("Wait until it is over:", self.until_jobs_end()),
                answer,
                ("Delete it:", self.delete("job,configmap")),
            ],
            Runs::DaemonSet => vec![
                ("Run it:", apply),
                ("Wait until every node is done:", self.until_nodes_are_done()),
                answer,
                ("Run it again:", self.each("rollout restart daemonset", "")),
                ("Delete it:", self.delete("daemonset,configmap")),
            ],
            Runs::CronJob { .. } => vec![
                ("Have it run:", apply),
                ("Run it at once, too:", self.at_once()),
                (
                    "The answer, of all sources, for the last 12 hours:",
                    self.logs("--tail=-1 --since=12h", &settings.runs),
                ),
                ("Delete it:", self.delete("cronjob,configmap")),
            ],
        }
    }

    /// One command a namespace.
    fn each(&self, verb: &str, options: &str) -> String {
        let commands: Vec<String> = self
            .namespaces
            .iter()
            .map(|one| self.kubectl(verb, *one, options))
            .collect();
        commands.join("\n")
    }

    fn kubectl(&self, verb: &str, namespace: Option<&str>, options: &str) -> String {
        let namespace = namespace.map(|name| format!(" -n {name}")).unwrap_or_default();
        let options = if options.is_empty() {
            String::new()
        } else {
            format!(" {options}")
        };
        format!("kubectl {verb}{namespace} -l {MATRIX}={}{options}", self.base)
    }

    /// The same, with one output.
    fn together(&self, verb: &str, options: &str) -> String {
        let all = self.each(verb, options);
        if self.namespaces.len() == 1 {
            return all;
        }
        format!("{{ {}; }}", all.replace('\n', "; "))
    }

    fn logs(&self, options: &str, runs: &Runs) -> String {
        let container = match runs {
            // Its pods have another one, which waits.
            Runs::DaemonSet => format!("-c {CONTAINER} "),
            Runs::Job | Runs::IndexedJob { .. } | Runs::CronJob { .. } => String::new(),
        };
        let logs = self.together("logs", &format!("{container}{options}"));
        format!("{logs} | tcpprobe report -")
    }

    /// `kubectl wait` waits for one condition, and a Job has two in which it may end.
    fn until_jobs_end(&self) -> String {
        let path = r#"{range .items[*]}{.status.conditions[?(@.status=="True")].type}{"\n"}{end}"#;
        let jobs = self.together("get jobs", &format!("-o jsonpath='{path}'"));
        format!(
            "until {jobs} |\n  awk '!/Complete|Failed/ {{ n++ }} END {{ exit n || !NR }}'; do sleep 2; done"
        )
    }

    /// A pod is initialized when the container that runs the matrix is done.
    fn until_nodes_are_done(&self) -> String {
        let path = r#"{range .items[*]}{.status.conditions[?(@.type=="Initialized")].status}{"\n"}{end}"#;
        let pods = self.together("get pods", &format!("-o jsonpath='{path}'"));
        format!("until {pods} |\n  awk '!/True/ {{ n++ }} END {{ exit n || !NR }}'; do sleep 2; done")
    }

    fn at_once(&self) -> String {
        let command = |(namespace, name): &(Option<&str>, &str)| {
            let namespace = namespace.map(|name| format!(" -n {name}")).unwrap_or_default();
            format!("kubectl create job{namespace} {name}-now --from=cronjob/{name}")
        };
        let commands: Vec<String> = self.workloads.iter().map(command).collect();
        commands.join("\n")
    }

    fn delete(&self, kinds: &str) -> String {
        self.each(&format!("delete {kinds}"), "")
    }
}
