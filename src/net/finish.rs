//! Concluding what is still under way.

use tokio::sync::watch;

/// Says that whatever is still under way is to be concluded now.
#[derive(Debug, Clone)]
pub struct Finish(watch::Receiver<bool>);

/// The other end of [`Finish`].
#[derive(Debug)]
pub struct Finisher(watch::Sender<bool>);

/// A pair of which one end concludes what holds the other.
pub fn finisher() -> (Finisher, Finish) {
    let (sender, receiver) = watch::channel(false);
    (Finisher(sender), Finish(receiver))
}

impl Finisher {
    /// Concludes all probes that hold the other end.
    pub fn finish(&self) {
        self.0.send_replace(true);
    }
}

impl Finish {
    /// Whether it is time to conclude.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when it is time to conclude.
    pub async fn requested(&mut self) {
        // An error means that the other end is gone, which concludes as well.
        let _ = self.0.wait_for(|finish| *finish).await;
    }
}
