//! The store of a cluster: etcd, reached over TLS or, where no other process listens, without.
//!
//! Calls are synchronous, and each has a deadline: what etcd does not answer in time, or cannot
//! for want of a quorum, is [`StoreError::CutOff`]. A thread of its own runs the connections.
//! Keys are kept below a prefix, so that an etcd may serve others, too; the revision is etcd's own
//! then, and grows with their changes as well.

mod address;
mod call;
mod convert;
mod fault;
mod runtime;
mod tls;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use etcd_client::{Compare, CompareOp, GetOptions, KvClient, LeaseGrantOptions, PutOptions, TxnOp};

pub use address::EtcdAddress;
pub use tls::{ClientIdentity, EtcdTls};

use crate::{Commit, Entry, Lease, LeaseId, Op, Range, Store, StoreError, Txn, Watch};
use call::{Endpoints, MOST_BYTES, Repeat};
use convert::{bytes_of, entry, lease_id, signed, unsigned};
use runtime::Runtime;
use watch::EtcdWatch;

/// Keys in etcd.
pub struct Etcd {
    endpoints: Arc<Endpoints>,
    prefix: String,
    runtime: Runtime,
}

impl Etcd {
    /// The store at `address`. Nothing is asked yet: an etcd that is away is no error here.
    ///
    /// # Errors
    ///
    /// Certificates that cannot be read, an address that is none, or no thread is to be had.
    pub fn open(address: &EtcdAddress, tls: Option<&EtcdTls>) -> Result<Self, StoreError> {
        let runtime = Runtime::start().map_err(|source| StoreError::EtcdSettings {
            found: format!("no thread is to be had: {source}"),
        })?;
        let endpoints = runtime.wait(Endpoints::open(address.clone(), tls.cloned()))??;
        Ok(Self {
            endpoints: Arc::new(endpoints),
            prefix: address.prefix().to_owned(),
            runtime,
        })
    }

    fn key(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        match key {
            "" => Err(StoreError::EmptyKey),
            key => Ok(self.below(key)),
        }
    }

    fn below(&self, key: &str) -> Vec<u8> {
        [self.prefix.as_bytes(), &bytes_of(key)].concat()
    }

    /// What etcd does for `call`.
    fn ask<T, F>(
        &self,
        repeat: Repeat,
        call: impl Fn(etcd_client::Client) -> F + Send + Sync + 'static,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, etcd_client::Error>> + Send,
    {
        let endpoints = Arc::clone(&self.endpoints);
        self.runtime
            .wait(async move { endpoints.ask(repeat, call).await })?
    }

    fn kv(client: &etcd_client::Client) -> KvClient {
        client.kv_client().max_decoding_message_size(MOST_BYTES)
    }

    /// The oldest revision whose changes etcd still knows.
    fn oldest(&self) -> Result<u64, StoreError> {
        let endpoints = Arc::clone(&self.endpoints);
        let key = self.below("");
        self.runtime.wait(async move {
            endpoints
                .ask(Repeat::Always, move |client| {
                    watch::oldest(client, key.clone())
                })
                .await
        })?
    }

    fn compare(&self, txn: &Txn) -> Vec<Compare> {
        let each = txn.checks.iter().map(|check| {
            let key = self.below(&check.key);
            Compare::mod_revision(key, CompareOp::Equal, signed(check.mod_revision))
        });
        each.collect()
    }

    fn steps(&self, txn: &Txn) -> Vec<TxnOp> {
        let mut deleted: Vec<&str> = Vec::new();
        let mut steps = Vec::new();
        for op in &txn.ops {
            match op {
                Op::Put { key, value, lease } => {
                    let options = lease.map(|lease| PutOptions::new().with_lease(lease_id(lease)));
                    steps.push(TxnOp::put(self.below(key), value.clone(), options));
                }
                // A key may be deleted twice; etcd takes it once.
                Op::Delete { key } if deleted.contains(&key.as_str()) => {}
                Op::Delete { key } => {
                    deleted.push(key);
                    steps.push(TxnOp::delete(self.below(key), None));
                }
            }
        }
        steps
    }

    /// The reads that find the check that failed.
    fn check_again(&self, txn: &Txn) -> Vec<TxnOp> {
        let each = txn.checks.iter().map(|check| {
            let options = GetOptions::new().with_keys_only();
            TxnOp::get(self.below(&check.key), Some(options))
        });
        each.collect()
    }
}

impl Store for Etcd {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        let key = self.key(key)?;
        let asked = self.ask(Repeat::Always, move |client| {
            let key = key.clone();
            async move { Self::kv(&client).get(key, None).await }
        });
        let mut found = asked?;
        let first = found.take_kvs().into_iter().next();
        Ok(first.map(|kv| entry(kv, &self.prefix)))
    }

    fn range(&self, prefix: &str) -> Result<Range, StoreError> {
        let key = self.below(prefix);
        let asked = self.ask(Repeat::Always, move |client| {
            let key = key.clone();
            let options = GetOptions::new().with_prefix();
            async move { Self::kv(&client).get(key, Some(options)).await }
        });
        let mut found = asked?;
        let revision = found
            .header()
            .map_or(0, |header| unsigned(header.revision()));
        let entries = found.take_kvs().into_iter();
        Ok(Range {
            entries: entries.map(|kv| entry(kv, &self.prefix)).collect(),
            revision,
        })
    }

    fn commit(&self, txn: &Txn) -> Result<Commit, StoreError> {
        txn.validate()?;
        let request = etcd_client::Txn::new()
            .when(self.compare(txn))
            .and_then(self.steps(txn))
            .or_else(self.check_again(txn));
        let asked = self.ask(Repeat::NotSent, move |client| {
            let request = request.clone();
            async move { Self::kv(&client).txn(request).await }
        });
        let answer = match asked {
            Err(StoreError::LeaseNotFound { lease }) => {
                return Err(StoreError::LeaseNotFound {
                    lease: txn.leases().next().unwrap_or(lease),
                });
            }
            other => other?,
        };
        let revision = answer
            .header()
            .map_or(0, |header| unsigned(header.revision()));
        if answer.succeeded() {
            return Ok(Commit::Done { revision });
        }
        let found: Vec<u64> = answer
            .op_responses()
            .into_iter()
            .map(|response| match response {
                etcd_client::TxnOpResponse::Get(found) => {
                    let first = found.kvs().first();
                    first.map_or(0, |kv| unsigned(kv.mod_revision()))
                }
                _ => 0,
            })
            .collect();
        let mut checks = txn.checks.iter().zip(found);
        let failed = checks.find(|(check, found)| check.mod_revision != *found);
        match failed {
            Some((check, found_revision)) => Ok(Commit::Conflict {
                key: check.key.clone(),
                found_revision,
                revision,
            }),
            None => Err(StoreError::Refused {
                store: self.endpoints.to_string(),
                found: "it refused a transaction whose checks hold".to_owned(),
            }),
        }
    }

    fn watch(&self, prefix: &str, from: u64) -> Result<Box<dyn Watch>, StoreError> {
        let from = match from {
            0 => self.revision()? + 1,
            from => from,
        };
        let endpoints = Arc::clone(&self.endpoints);
        let watch = EtcdWatch::begin(
            self.runtime.handle(),
            endpoints,
            self.below(prefix),
            self.prefix.clone(),
            from,
        );
        Ok(Box::new(watch))
    }

    fn compact(&self, revision: u64) -> Result<(), StoreError> {
        let asked = self.ask(Repeat::NotSent, move |client| async move {
            Self::kv(&client).compact(signed(revision), None).await
        });
        match asked {
            Ok(_) => Ok(()),
            Err(StoreError::Compacted { .. }) => Err(StoreError::Compacted {
                asked: revision,
                oldest: self.oldest()?,
            }),
            Err(StoreError::FutureRevision { .. }) => Err(StoreError::FutureRevision {
                asked: revision,
                revision: self.revision()?,
            }),
            Err(error) => Err(error),
        }
    }

    fn grant(&self, ttl: Duration) -> Result<Lease, StoreError> {
        let whole = ttl.as_secs() + u64::from(ttl.subsec_nanos() > 0);
        let seconds = i64::try_from(whole.max(1)).unwrap_or(i64::MAX);
        // A lease that was granted twice ends by itself.
        let asked = self.ask(Repeat::Always, move |client| async move {
            let options = Some(LeaseGrantOptions::new());
            client.lease_client().grant(seconds, options).await
        });
        let granted = asked?;
        let Some(id) = std::num::NonZeroU64::new(unsigned(granted.id())) else {
            return Err(StoreError::Refused {
                store: self.endpoints.to_string(),
                found: format!("it granted no lease: {}", granted.error()),
            });
        };
        Ok(Lease {
            id: LeaseId(id),
            ttl: Duration::from_secs(unsigned(granted.ttl())),
        })
    }

    fn keep_alive(&self, lease: LeaseId) -> Result<(), StoreError> {
        let id = lease_id(lease);
        let asked = self.ask(Repeat::Always, move |client| async move {
            client.lease_client().keep_alive(id).await.map(drop)
        });
        asked.map_err(|error| of_lease(error, lease))
    }

    fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        let id = lease_id(lease);
        let asked = self.ask(Repeat::NotSent, move |client| async move {
            client.lease_client().revoke(id).await.map(drop)
        });
        asked.map_err(|error| of_lease(error, lease))
    }
}

impl Etcd {
    fn revision(&self) -> Result<u64, StoreError> {
        let key = self.below("");
        let asked = self.ask(Repeat::Always, move |client| {
            let key = key.clone();
            let options = GetOptions::new().with_prefix().with_count_only();
            async move { Self::kv(&client).get(key, Some(options)).await }
        });
        let found = asked?;
        Ok(found
            .header()
            .map_or(0, |header| unsigned(header.revision())))
    }
}

fn of_lease(error: StoreError, lease: LeaseId) -> StoreError {
    match error {
        StoreError::LeaseNotFound { .. } => StoreError::LeaseNotFound { lease },
        other => other,
    }
}

#[cfg(test)]
mod tests;
