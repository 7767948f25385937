//! Another configuration in the place of the one in force, whole, or not at all.

use tokio::sync::{mpsc, oneshot};

/// Asks for the configuration to be read again, from any thread.
#[derive(Debug, Clone)]
pub(super) struct Reloads(mpsc::Sender<Reload>);

/// Takes what became of it: why it was not taken, where it was not.
pub(super) type Reload = oneshot::Sender<Result<(), String>>;

impl Reloads {
    /// And the other end.
    pub(super) fn new() -> (Self, mpsc::Receiver<Reload>) {
        let (sender, receiver) = mpsc::channel(1);
        (Self(sender), receiver)
    }

    /// Has the configuration read again, and returns when it is in force.
    ///
    /// # Errors
    /// Why it was not taken; the one before stays in force.
    pub(super) async fn reload(&self) -> Result<(), String> {
        let ending = || "tcpprobe is about to end".to_owned();
        let (reply, outcome) = oneshot::channel();
        self.0.send(reply).await.map_err(|_| ending())?;
        outcome.await.map_err(|_| ending())?
    }
}
