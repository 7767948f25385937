//! `/probe`: one check, made for whoever asks, where that is permitted.

use std::fmt::Write as _;
use std::sync::{Arc, PoisonError};

use super::{Web, is_from_another_site};
use crate::http::{Body, Request, Response};
use crate::monitor::{Aim, Answer, Asked, Check, Module, Refused};
use crate::net::{clock, settings};
use crate::report::monitor::{Exposition, exposition, of_probe};
use crate::report::{Style, Verbosity, read, text};

impl Web {
    /// A target that fails is an answer like others: `probe_success 0`. What is wrong with the request is told with its status.
    pub(super) async fn probe(&self, request: &Request) -> Response {
        if is_from_another_site(request) {
            return Response::text(403, "A page of another site may not have targets looked at.");
        }
        let aim = match self.aim(request) {
            Ok(aim) => aim,
            Err(refused) => return refusal(&refused),
        };
        let module = Arc::clone(&aim.module);
        let check = self.state.looks.look(aim.target, aim.module, aim.within).await;
        let Some(check) = check else {
            return Response::text(503, "tcpprobe is about to end.").with("retry-after", "1");
        };
        match aim.answer {
            Answer::Metrics => {
                let form = exposition(request.header("accept"));
                let body = of_probe(&check.seen, &module, form);
                Response {
                    status: 200,
                    headers: vec![("content-type", form.content_type().to_owned())],
                    body: Body::Whole(body),
                }
            }
            Answer::Debug => Response::text(200, told(&check, &module)),
        }
    }

    /// What is asked for, if it may be, and has not been too often.
    fn aim(&self, request: &Request) -> Result<Aim, Refused> {
        let asked = Asked {
            query: &request.query,
            scrape_timeout: request.header("x-prometheus-scrape-timeout-seconds"),
        };
        let aims = self.state.aims();
        let aim = aims.aim(asked, self.reach, &self.services)?;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = buckets.take(&aim.target.host, aims.limit(), clock::unix_now());
        taken.map_err(|wait| Refused::too_often(&aim.target.host, aims.limit(), wait))?;
        Ok(aim)
    }
}

fn refusal(refused: &Refused) -> Response {
    let response = Response::text(refused.status, refused.to_string());
    match refused.retry_after_s {
        Some(seconds) => response.with("retry-after", seconds.to_string()),
        None => response,
    }
}

/// For a person: what was seen and what it means, then the metrics.
fn told(check: &Check, module: &Module) -> String {
    let style = Style {
        verbosity: Verbosity::Verbose,
        ..Style::default()
    };
    let mut told = Vec::new();
    // A vector takes whatever is written.
    let written = read::lines(&check.record)
        .map(|outcome| text::Writer::default().target(&outcome, settings::syn_schedule(), &style, &mut told));
    let mut told = match written {
        Ok(_) => String::from_utf8_lossy(&told).into_owned(),
        Err(_) => check.record.to_string(),
    };
    let metrics = of_probe(&check.seen, module, Exposition::Text);
    let _ = write!(
        told,
        "\nThe metrics that Prometheus would have been given, with the module `{}`:\n\n{}",
        module.name,
        String::from_utf8_lossy(&metrics)
    );
    told
}
