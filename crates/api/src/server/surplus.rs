//! Connections for which there is no place: they get an answer and are closed at once.

use std::sync::Arc;
use std::time::Duration;

use accelnet_model::{Code, Problem};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::Semaphore;

use super::places::CONNECTIONS;
use crate::types::Failure;

/// Connections at once that may read why they are closed; others are closed without a word.
const AT_ONCE: usize = 16;
/// How long reading it may take.
const LINGER: Duration = Duration::from_secs(1);

/// How often what it still sends is read.
const READS: usize = 64;

/// Closes connections.
#[derive(Debug, Clone)]
pub struct Surplus(Arc<Semaphore>);

impl Default for Surplus {
    fn default() -> Self {
        Surplus(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Surplus {
    /// Closes a connection.
    pub fn turn_away(&self, mut stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let Ok(place) = self.0.clone().try_acquire_owned() else {
            return;
        };
        tokio::spawn(async move {
            // Its request is read, too: a connection that is closed with bytes unread is reset, and takes
            // the answer with it.
            let told = async {
                stream.write_all(answer().as_bytes()).await?;
                stream.shutdown().await?;
                let mut bytes = [0; 4096];
                for _ in 0..READS {
                    if stream.read(&mut bytes).await? == 0 {
                        break;
                    }
                }
                Ok::<_, std::io::Error>(())
            };
            drop(tokio::time::timeout(LINGER, told).await);
            drop(place);
        });
    }
}

/// The whole answer, whatever was asked.
fn answer() -> String {
    let found = format!(
        "The limit of connections is reached: {CONNECTIONS} for readers, and fewer for each of them."
    );
    let problem = Problem::new(Code::AgentBusy, &[], found)
        .needed("Fewer connections.")
        .resolution("Close idle connections, then run the same command again.");
    let json = serde_json::to_string(&Failure::from(problem)).unwrap_or_default();
    format!(
        "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\nretry-after: 1\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{json}",
        json.len()
    )
}
