//! An agent on another machine: its address, and what each side shows the other.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use accelnet_model::{Code, Problem};
use rustix::net::sockopt;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::ServerName;
use rustls::version::TLS13;
use rustls::{AlertDescription, CertificateError, ClientConfig, Error, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::pem;

/// How long connecting may take, and then the handshake.
pub const CONNECT: Duration = Duration::from_secs(10);
/// How long the other side may be silent before it is asked whether it is there, how often it
/// is asked, and how many times.
const KEEPALIVE: (Duration, Duration, u32) = (Duration::from_secs(20), Duration::from_secs(5), 4);

/// PEM files of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The CAs whose certificates an agent may show.
    pub ca: PathBuf,
    /// The certificate that is shown to it.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// An agent on another machine.
#[derive(Clone)]
pub struct Remote {
    host: String,
    port: u16,
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
    files: Credentials,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Remote").field(&self.shown()).finish()
    }
}

impl Remote {
    /// The agent at `server`: `HOST:PORT`, or `https://HOST[:PORT]`.
    ///
    /// # Errors
    ///
    /// `server_settings_invalid` for another form, `certificate_unusable` for files that cannot
    /// be used.
    pub fn new(server: &str, files: &Credentials) -> Result<Self, Problem> {
        let (host, port, name) = read(server).ok_or_else(|| {
            let found = format!("{server:?} is not the address of a server.");
            Problem::new(Code::ServerSettingsInvalid, &[], found)
                .needed("HOST:PORT or https://HOST:PORT; [ADDRESS]:PORT for IPv6.")
        })?;
        Ok(Remote {
            host,
            port,
            name,
            config: Arc::new(config(files)?),
            files: files.clone(),
        })
    }

    /// Host and port.
    pub fn shown(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    /// The agent does not answer there, and what was found.
    pub fn unreachable(&self, found: String) -> Problem {
        Problem::new(Code::AgentUnreachable, &[&self.shown()], found)
            .needed("An agent that was started with --listen, and no firewall in between.")
            .resolution(
                "On that node, 'systemctl status accelnet' shows whether the agent runs, and 'ss -ltnp' shows its address.",
            )
    }

    /// Connects, within the time for it.
    ///
    /// # Errors
    ///
    /// No connection.
    pub async fn connect(&self) -> io::Result<TcpStream> {
        let connected = TcpStream::connect((self.host.as_str(), self.port));
        let connected = tokio::time::timeout(CONNECT, connected).await;
        let stream = connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
        watch(&stream)?;
        Ok(stream)
    }

    /// Shakes hands; none when the time for it is over.
    ///
    /// # Errors
    ///
    /// The handshake failed.
    pub async fn shake(&self, stream: TcpStream) -> io::Result<Option<TlsStream<TcpStream>>> {
        let connector = TlsConnector::from(self.config.clone());
        let shaken = connector.connect(self.name.clone(), stream);
        let shaken = tokio::time::timeout(CONNECT, shaken).await;
        shaken.ok().transpose()
    }

    /// What a word of TLS means.
    pub fn judge(&self, error: &Error) -> Problem {
        match error {
            Error::InvalidCertificate(why) => self.untrusted(why),
            Error::AlertReceived(alert) => self.not_let_in(*alert),
            other => {
                let found = format!("The server does not support TLS 1.3: {other}.");
                self.unreachable(found)
            }
        }
    }

    /// The certificate that the agent showed.
    fn untrusted(&self, why: &CertificateError) -> Problem {
        let ca = self.files.ca.display();
        let (found, resolution) = match why {
            // Another CA of the same name signed it.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => (
                format!("It is not from a CA in {ca}."),
                format!(
                    "If the agent is the right one, add the certificate of its CA to {ca}. Otherwise another machine intercepts the connection: do not continue."
                ),
            ),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
                format!("It is not for {}: {why}.", self.host),
                "Use a server name of its certificate, or install a certificate with this name (subjectAltName) for the agent.".to_owned(),
            ),
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
                "It has expired.".to_owned(),
                "Install a new certificate for the agent, which reads new files without a restart. Also check the clock of this machine.".to_owned(),
            ),
            other => (
                format!("{other}."),
                "Install another certificate for the agent (docs/remote.md).".to_owned(),
            ),
        };
        Problem::new(Code::ServerUntrusted, &[&self.shown()], found).resolution(resolution)
    }

    /// The agent broke off.
    fn not_let_in(&self, alert: AlertDescription) -> Problem {
        let found = match alert {
            AlertDescription::UnknownCA | AlertDescription::DecryptError => {
                "It is not from a CA that the agent trusts.".to_owned()
            }
            AlertDescription::CertificateExpired => {
                "It has expired, or is not valid yet.".to_owned()
            }
            AlertDescription::CertificateRevoked => "It was revoked.".to_owned(),
            AlertDescription::AccessDenied => "It names no role.".to_owned(),
            AlertDescription::CertificateRequired => "None was sent.".to_owned(),
            AlertDescription::UnsupportedCertificate => "It is not for clients.".to_owned(),
            other => format!("The agent broke off with {other:?}."),
        };
        let cert = self.files.cert.display().to_string();
        Problem::new(Code::CertificateRefused, &[&self.shown(), &cert], found)
    }
}

/// Notices a machine that is gone while its answer is waited for.
fn watch(stream: &TcpStream) -> io::Result<()> {
    let (idle, interval, times) = KEEPALIVE;
    stream.set_nodelay(true)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, idle)?;
    sockopt::set_tcp_keepintvl(stream, interval)?;
    sockopt::set_tcp_keepcnt(stream, times)?;
    Ok(())
}

/// Host, port, and the name that its certificate must have.
fn read(server: &str) -> Option<(String, u16, ServerName<'static>)> {
    let (rest, default) = match server.strip_prefix("https://") {
        Some(rest) => (rest.strip_suffix('/').unwrap_or(rest), Some(443)),
        None => (server, None),
    };
    let (host, port) = match rest.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, port.strip_prefix(':'))
        }
        None => match rest.rsplit_once(':') {
            // Which of the colons is the port's cannot be determined.
            Some((host, _)) if host.contains(':') => return None,
            Some((host, port)) => (host, Some(port)),
            None => (rest, None),
        },
    };
    let port = match port {
        Some(port) => port.parse().ok().filter(|port| *port > 0)?,
        None => default?,
    };
    let name = ServerName::try_from(host.to_owned()).ok()?;
    Some((host.to_owned(), port, name))
}

fn config(files: &Credentials) -> Result<ClientConfig, Problem> {
    let mut trusted = RootCertStore::empty();
    for certificate in pem::certificates(&files.ca)? {
        trusted
            .add(certificate)
            .map_err(|error| pem::unusable(&files.ca, &format!("It is no CA: {error}.")))?;
    }
    let certificates = pem::certificates(&files.cert)?;
    let key = pem::key(&files.key)?;
    let unusable = |error: Error| match error {
        Error::InconsistentKeys(_) => pem::unusable(
            &files.key,
            &format!("It is not the key of {}.", files.cert.display()),
        ),
        other => pem::unusable(&files.cert, &format!("{other}.")),
    };
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS13])
        .map_err(unusable)?
        .with_root_certificates(trusted)
        .with_client_auth_cert(certificates, key)
        .map_err(unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests;
