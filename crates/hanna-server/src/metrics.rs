//! What is counted for whoever runs the server, in the words of Prometheus (`OpenMetrics` text).
//!
//! Labels are routes, statuses and codes of closed sets: never an id, an address, or anything about a person.

use std::fmt;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use hanna_domain::Statement;
use hanna_wire::outbox::Outcome;
use jiff::Timestamp;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::store::StoreError;

/// The media type of what [`Metrics::text`] writes.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The upper ends of the classes of durations, in seconds: from a lookup to the longest answer there may be.
const DURATIONS_S: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 3.0, 10.0, 30.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Looked {
    /// `lookup`: somebody stands at the counter. `regular`: verified again in a batch.
    kind: &'static str,
    verdict: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Delivered {
    outcome: &'static str,
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failed {
    kind: &'static str,
}

type Durations = Family<Answered, Histogram, fn() -> Histogram>;

/// The counters of one server.
pub struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    durations: Durations,
    connections: Gauge,
    lookups: Family<Looked, Counter>,
    items: Family<Delivered, Counter>,
    store_errors: Family<Failed, Counter>,
    alarms: Counter,
    purged: Counter,
    key_ends: Gauge,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("hanna");
        let durations: Durations = Family::new_with_constructor(|| Histogram::new(DURATIONS_S));
        let (requests, lookups, items) = (Family::default(), Family::default(), Family::default());
        let (store_errors, connections, key_ends) = (Family::default(), Gauge::default(), Gauge::default());
        let (alarms, purged) = (Counter::default(), Counter::default());
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program", build);
        registry.register("http_requests", "Requests answered", Family::clone(&requests));
        registry.register_with_unit(
            "http_request_duration",
            "From the head of a request to its answer",
            Unit::Seconds,
            Durations::clone(&durations),
        );
        registry.register("http_connections", "Connections that are open", Gauge::clone(&connections));
        registry.register("lookups", "People looked up, by what was answered", Family::clone(&lookups));
        registry.register("outbox_items", "Items of desks, by their outcome", Family::clone(&items));
        registry.register(
            "store_errors",
            "Questions the database did not answer",
            Family::clone(&store_errors),
        );
        registry.register(
            "enumeration_alarms",
            "Accounts blocked because they asked about one unknown document after another",
            Counter::clone(&alarms),
        );
        registry.register(
            "purged_acts",
            "Acts of the audit purged with what they record, because they were older than records are kept",
            Counter::clone(&purged),
        );
        registry.register_with_unit(
            "signing_key_expiry_timestamp",
            "When the key that signs ends",
            Unit::Seconds,
            Gauge::clone(&key_ends),
        );
        Self {
            registry,
            requests,
            durations,
            connections,
            lookups,
            items,
            store_errors,
            alarms,
            purged,
            key_ends,
        }
    }
}

impl Metrics {
    /// A request was answered.
    pub fn answered(&self, method: &'static str, route: &str, status: StatusCode, took: Duration) {
        let labels = Answered { method, route: route.to_owned(), status: status.as_u16() };
        self.requests.get_or_create(&labels).inc();
        self.durations.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Counts a connection until what is returned goes out of scope.
    pub fn connection(&self) -> Open {
        self.connections.inc();
        Open(self.connections.clone())
    }

    /// Lookups were answered.
    pub fn looked_up(&self, kind: &'static str, statements: &[Statement]) {
        for statement in statements {
            let verdict = match (&statement.affiliate, statement.usable) {
                (None, _) => "not_registered",
                (Some(_), true) => "active",
                (Some(_), false) => "not_active",
            };
            self.lookups.get_or_create(&Looked { kind, verdict }).inc();
        }
    }

    /// A batch was answered.
    pub fn delivered(&self, outcomes: &[Outcome]) {
        for Outcome { outcome, code, .. } in outcomes {
            let labels =
                Delivered { outcome: outcome.code(), code: code.as_ref().map_or("", |code| code.code()) };
            self.items.get_or_create(&labels).inc();
        }
    }

    /// The store failed.
    pub fn store_failed(&self, error: &StoreError) {
        let kind = match error {
            StoreError::Busy(_) => "busy",
            StoreError::Newer { .. } => "newer",
            StoreError::Failed(_) => "failed",
        };
        self.store_errors.get_or_create(&Failed { kind }).inc();
    }

    /// Somebody enumerates documents.
    pub fn enumeration_alarm(&self) {
        self.alarms.inc();
    }

    /// Acts were purged.
    pub fn purged(&self, acts: u64) {
        self.purged.inc_by(acts);
    }

    /// Everything, as it is read by Prometheus.
    ///
    /// # Errors
    /// Never: a `String` takes everything.
    pub fn text(&self, key_ends: Option<Timestamp>) -> Result<String, fmt::Error> {
        self.key_ends.set(key_ends.map_or(0, Timestamp::as_second));
        let mut written = String::new();
        text::encode(&mut written, &self.registry)?;
        Ok(written)
    }
}

/// An open connection.
#[derive(Debug)]
pub struct Open(Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A method by its name; what anybody can invent stands neither in labels nor in logs.
pub fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests;
