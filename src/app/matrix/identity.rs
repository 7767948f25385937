//! Who looks: by the command line, the environment of a pod, or the name of the host.

use super::MatrixArguments;
use crate::app::Failure;
use crate::matrix::Identity;
use crate::matrix::file::Source;
use crate::net::kernel;

/// A variable of the environment; absent where it is empty.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Who this run is, and which of the matrix's sources; the latter is absent where the matrix names none.
///
/// The source is what the user says; else the only one that the matrix names; where it names none the pod, else the host.
pub(super) fn identity(
    arguments: &MatrixArguments,
    sources: &[Source],
    environment: Environment,
) -> Result<(Identity, Option<String>), Failure> {
    let named = one_of(sources, arguments.source.as_deref())?;
    let pod = environment("POD_NAME");
    let host = kernel::host_name();
    let source = named
        .clone()
        .or_else(|| arguments.source.clone())
        .or_else(|| pod.clone())
        .or_else(|| host.clone())
        .unwrap_or_else(|| "localhost".to_owned());
    let ip = environment("POD_IP").map(|text| {
        text.parse()
            .map_err(|_| Failure::usage(format!("POD_IP is '{text}', which is no IP address")))
    });
    let identity = Identity {
        source,
        instance: arguments.instance.clone().filter(|instance| !instance.is_empty()),
        pod,
        namespace: environment("POD_NAMESPACE"),
        node: environment("NODE_NAME"),
        ip: ip.transpose()?,
        host,
    };
    Ok((identity, named))
}

/// Which of the matrix's sources it is.
fn one_of(sources: &[Source], wanted: Option<&str>) -> Result<Option<String>, Failure> {
    let all = || {
        let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
        names.join(", ")
    };
    match (sources, wanted) {
        ([], _) => Ok(None),
        (sources, Some(wanted)) if sources.iter().any(|source| source.name == wanted) => {
            Ok(Some(wanted.to_owned()))
        }
        (_, Some(wanted)) => Err(Failure::usage(format!(
            "the matrix names no source '{wanted}', but {}: name one of them with --source or TCPPROBE_SOURCE",
            all()
        ))),
        ([only], None) => Ok(Some(only.name.clone())),
        (_, None) => Err(Failure::usage(format!(
            "the matrix names several sources: say with --source or TCPPROBE_SOURCE which this is, of {}",
            all()
        ))),
    }
}
