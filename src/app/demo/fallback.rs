//! What is said where this system permits no private networks, and only loopback is left to show failures on.

use crate::lab::EnterError;
use crate::net::settings;

/// A setting that forbids user namespaces, with the value that does so and the command that lifts it.
const SETTINGS: [(&str, u32, &str); 3] = [
    (
        "user/max_user_namespaces",
        0,
        "sudo sysctl user.max_user_namespaces=10000",
    ),
    (
        "kernel/unprivileged_userns_clone",
        0,
        "sudo sysctl kernel.unprivileged_userns_clone=1",
    ),
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        1,
        "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
    ),
];

/// Why, what is shown instead, and what would permit more.
pub(super) fn says(why: &EnterError) -> String {
    let mut lines = vec![
        format!("no private network can be built here: {why}"),
        "shown instead is what loopback can show: an open, a closed and a full port".to_owned(),
    ];
    let forbidding = SETTINGS
        .iter()
        .filter(|(setting, forbids, _)| settings::number(setting) == Some(*forbids));
    let remedies: Vec<&str> = forbidding.map(|(_, _, remedy)| *remedy).collect();
    if remedies.is_empty() {
        lines.push(
            "to see all of it: outside of this container, or with a seccomp profile that permits unshare(2)"
                .to_owned(),
        );
    } else {
        lines.push("to see all of it, on a machine of your own:".to_owned());
        lines.extend(remedies.iter().map(|remedy| format!("  {remedy}")));
    }
    lines.join("\n")
}
