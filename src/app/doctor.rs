//! `tcpprobe doctor`.

use std::io;

use super::{Failure, output};
use crate::cli::{CheckArguments, DocumentForm, Exit};
use crate::diagnose::doctor::examine;
use crate::net::facilities;
use crate::report::doctor;

pub(super) fn doctor(form: DocumentForm, arguments: &CheckArguments) -> Result<Exit, Failure> {
    let found = facilities::look();
    let examination = examine(&found);
    let out = &mut io::stdout().lock();
    output::written(match form {
        DocumentForm::Text => doctor::write_text(&found, &examination, &output::style(arguments), out),
        DocumentForm::Json => doctor::write_json(env!("CARGO_PKG_VERSION"), &found, &examination, out),
    })
}
