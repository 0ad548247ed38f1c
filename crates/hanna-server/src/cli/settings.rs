//! How the server is configured: flags, then environment, then a TOML file, then what is usual.
//!
//! One list says it all ([`settings!`] below): the name of each setting is its key in the file, its flag (with dashes) and
//! its variable (in capitals, after `HANNA_SERVER_`). `docs/OPERATIONS.md` has them in a table, which a test compares.

use std::convert::Infallible;
use std::fmt;
use std::net::{AddrParseError, IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use hanna_domain::Redacted;
use hanna_wire::client::Version;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::app::{self, Config, Database, Limits};
use crate::audit::Actor;
use crate::gate::Budgets;
use crate::mail::MailConfig;
use crate::retention;
use crate::tls::TlsFiles;

/// The most that is taken for a limit in seconds.
const DAY_S: u64 = 86_400;

/// What every variable of the environment begins with.
pub const PREFIX: &str = "HANNA_SERVER_";

/// Makes of one list: what was given ([`Settings`], all of it optional), what holds ([`Effective`]), and their names.
macro_rules! settings {
    ($(
        $(#[doc = $doc:literal])+
        $key:ident($variable:literal, $form:literal $(, $($more:tt)+)?): $type:ty $(= $usual:expr)?;
    )+) => {
        /// What was given, in one place.
        #[derive(Debug, Clone, Default, Args, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct Settings {
            $(
                $(#[doc = $doc])+
                #[arg(long, env = $variable, value_name = $form, help_heading = "Settings", hide_env_values = true $(, $($more)+)?)]
                $key: Option<$type>,
            )+
        }

        /// What holds.
        #[derive(Debug, Clone, Serialize)]
        pub struct Effective {
            $($(#[doc = $doc])+ pub $key: held!($type $(, $usual)?),)+
        }

        impl Settings {
            /// Each setting: its key, its variable, the form of its value.
            pub const ALL: &'static [(&'static str, &'static str, &'static str)] =
                &[$((stringify!($key), $variable, $form)),+];

            /// What is given here, and for the rest what is given there.
            pub fn or(self, other: Self) -> Self {
                Self { $($key: self.$key.or(other.$key)),+ }
            }

            /// What holds.
            pub fn effective(self) -> Effective {
                Effective { $($key: hold!(self.$key $(, $usual)?)),+ }
            }
        }
    };
}

macro_rules! held {
    ($type:ty) => { Option<$type> };
    ($type:ty, $usual:expr) => { $type };
}

macro_rules! hold {
    ($given:expr) => {
        $given
    };
    ($given:expr, $usual:expr) => {
        $given.unwrap_or_else(|| $usual)
    };
}

settings! {
    /// The directory of the server's data; made if it is not there.
    data_dir("HANNA_SERVER_DATA_DIR", "DIR"): PathBuf = "hanna-data".into();
    /// The database, as `sqlite:PATH` or `postgres://USER:PASSWORD@HOST,HOST/NAME` [default: `sqlite:DATA_DIR/hanna.sqlite`].
    database("HANNA_SERVER_DATABASE", "DATABASE"): Database;
    /// How the log on standard error is written. It never holds personal data [default: text].
    log_format("HANNA_SERVER_LOG_FORMAT", "text|json"): LogFormat = LogFormat::Text;
    /// What is logged: a level, or directives such as `info,hanna_server=debug` [default: info].
    log("HANNA_SERVER_LOG", "FILTER"): String = "info".to_owned();
    /// Where to listen; port 0 picks a free one [default: 127.0.0.1:8740].
    listen("HANNA_SERVER_LISTEN", "ADDRESS:PORT"): SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8740));
    /// Where to serve `/metrics`; nowhere unless it is said.
    metrics_listen("HANNA_SERVER_METRICS_LISTEN", "ADDRESS:PORT"): SocketAddr;
    /// The server's certificate and those that lead to a root, as PEM: with it the API is served with TLS. Read again when it changes.
    tls_cert("HANNA_SERVER_TLS_CERT", "FILE"): PathBuf;
    /// The private key of the certificate, as PEM.
    tls_key("HANNA_SERVER_TLS_KEY", "FILE"): PathBuf;
    /// Serve plain HTTP on an address that others can reach. Only behind a proxy that speaks TLS [default: false].
    allow_plain_http(
        "HANNA_SERVER_ALLOW_PLAIN_HTTP", "true|false",
        num_args = 0..=1, require_equals = true, default_missing_value = "true"
    ): Switch = Switch(false);
    /// Proxies in front, beside those on this machine: their `X-Forwarded-For` is believed [default: none].
    trusted_proxies("HANNA_SERVER_TRUSTED_PROXIES", "ADDRESS,…"): Addresses = Addresses(Vec::new());
    /// How many connections there are at once; more wait [default: 2000].
    connections_max("HANNA_SERVER_CONNECTIONS_MAX", "COUNT"): usize = Limits::USUAL.connections_max;
    /// The oldest desk that is served; older ones are told to be updated, and lose nothing [default: none].
    minimum_client("HANNA_SERVER_MINIMUM_CLIENT", "MAJOR.MINOR.PATCH"): Version;
    /// The mail server, as `smtps://USER:PASSWORD@HOST` or `smtp://HOST?tls=required`; without one mails are written to `DATA_DIR/mail`.
    smtp("HANNA_SERVER_SMTP", "smtps://USER:PASSWORD@HOST"): SmtpUrl;
    /// Who writes the mails; needed with a mail server.
    mail_from("HANNA_SERVER_MAIL_FROM", "NAME <ADDRESS>"): String;
    /// How long the head of a request may take to arrive, in seconds [default: 30].
    head_max_s("HANNA_SERVER_HEAD_MAX_S", "SECONDS"): u64 = Limits::USUAL.head_max.as_secs();
    /// How long the body of a request may take to arrive, in seconds [default: 20].
    body_max_s("HANNA_SERVER_BODY_MAX_S", "SECONDS"): u64 = Limits::USUAL.body_max.as_secs();
    /// How long requests may still take after a signal, in seconds [default: 35].
    shutdown_max_s("HANNA_SERVER_SHUTDOWN_MAX_S", "SECONDS"): u64 = 35;
    /// Lookups of an account, and of a PC, in a minute [default: 60].
    lookups_a_minute("HANNA_SERVER_LOOKUPS_A_MINUTE", "COUNT"): u32 = Budgets::USUAL.lookups_a_minute;
    /// Lookups of an account, and of a PC, in 24 hours [default: 5000].
    lookups_a_day("HANNA_SERVER_LOOKUPS_A_DAY", "COUNT"): u32 = Budgets::USUAL.lookups_a_day;
    /// Lookups of an entity in a minute [default: 1200].
    entity_lookups_a_minute("HANNA_SERVER_ENTITY_LOOKUPS_A_MINUTE", "COUNT"): u32 =
        Budgets::USUAL.entity_lookups_a_minute;
    /// Lookups of an entity in 24 hours [default: 50000].
    entity_lookups_a_day("HANNA_SERVER_ENTITY_LOOKUPS_A_DAY", "COUNT"): u32 = Budgets::USUAL.entity_lookups_a_day;
    /// Slow down and block accounts that ask about one unknown document after another [default: true].
    watch_enumeration("HANNA_SERVER_WATCH_ENUMERATION", "true|false"): Switch = Switch(true);
    /// Regulars a branch may have verified again in one Colombian day [default: 2000].
    regulars_a_day("HANNA_SERVER_REGULARS_A_DAY", "COUNT"): u32 = app::REGULARS_A_DAY_MAX;
    /// For how many days records that name people are kept; then they are purged [default: 3653].
    keep_records_days("HANNA_SERVER_KEEP_RECORDS_DAYS", "DAYS"): u32 = retention::KEEP_DAYS;
}

/// How the log is written.
#[derive(Debug, Clone, Copy, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For eyes.
    Text,
    /// One object a line.
    Json,
}

/// `true` or `false`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Switch(pub bool);

impl FromStr for Switch {
    type Err = std::str::ParseBoolError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// Addresses, separated by commas where they are one text.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Addresses(pub Vec<IpAddr>);

impl FromStr for Addresses {
    type Err = AddrParseError;

    fn from_str(text: &str) -> Result<Self, AddrParseError> {
        let addresses = text.split(',').map(str::trim).filter(|address| !address.is_empty());
        addresses.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

/// The address of a mail server, which may have a password in it.
#[derive(Debug, Clone)]
pub struct SmtpUrl(pub Redacted<String>);

impl FromStr for SmtpUrl {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(Redacted::new(text.to_owned())))
    }
}

impl<'de> Deserialize<'de> for SmtpUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Redacted::new(text)))
    }
}

impl Serialize for SmtpUrl {
    /// Without its password, if it has one.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&without_password(self.0.expose()))
    }
}

/// The same address, with `•••` for its password.
fn without_password(text: &str) -> String {
    let hidden = || {
        let (scheme, rest) = text.split_once("://")?;
        let (who, place) = rest.rsplit_once('@')?;
        let (user, _) = who.split_once(':')?;
        Some(format!("{scheme}://{user}:•••@{place}"))
    };
    hidden().unwrap_or_else(|| text.to_owned())
}

impl<'de> Deserialize<'de> for Database {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl Serialize for Database {
    /// Without its password, if it has one.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Effective {
    /// Where the data are.
    pub fn database(&self) -> Database {
        self.database.clone().unwrap_or_else(|| Database::Sqlite(self.data_dir.join("hanna.sqlite")))
    }

    /// How the server is opened.
    pub fn config(&self) -> Config {
        Config {
            database: self.database(),
            limits: Limits {
                head_max: Duration::from_secs(self.head_max_s),
                body_max: Duration::from_secs(self.body_max_s),
                connections_max: self.connections_max,
                ..Limits::USUAL
            },
            regulars_a_day_max: self.regulars_a_day,
            budgets: Budgets {
                lookups_a_minute: self.lookups_a_minute,
                lookups_a_day: self.lookups_a_day,
                entity_lookups_a_minute: self.entity_lookups_a_minute,
                entity_lookups_a_day: self.entity_lookups_a_day,
                watch_enumeration: self.watch_enumeration.0,
            },
            keep_records_days: self.keep_records_days,
            trusted_proxies: self.trusted_proxies.0.clone(),
            minimum_client: self.minimum_client,
            mail: MailConfig {
                smtp: self.smtp.as_ref().map(|url| url.0.clone()),
                from: self.mail_from.clone(),
                folder: self.data_dir.join("mail"),
            },
            run_by: Actor::Server,
            imports: self.data_dir.join("imports"),
        }
    }

    /// The files of the certificate, if TLS is to be spoken here.
    pub fn tls(&self) -> Option<TlsFiles> {
        let (cert, key) = self.tls_cert.clone().zip(self.tls_key.clone())?;
        Some(TlsFiles { cert, key })
    }

    /// Refuses what no server could serve with, or would purge what desks rely on: numbers that are too small or too large, half
    /// of a certificate.
    ///
    /// # Errors
    /// The first of them.
    pub fn check(&self) -> Result<(), Misunderstood> {
        let connections = u64::try_from(self.connections_max).unwrap_or(u64::MAX);
        for (key, value, least, most) in [
            ("connections_max", connections, 1, 1_000_000),
            ("head_max_s", self.head_max_s, 1, DAY_S),
            ("body_max_s", self.body_max_s, 1, DAY_S),
            ("shutdown_max_s", self.shutdown_max_s, 0, DAY_S),
            (
                "keep_records_days",
                self.keep_records_days.into(),
                retention::KEEP_DAYS_MIN.into(),
                retention::KEEP_DAYS_MAX.into(),
            ),
        ] {
            if !(least..=most).contains(&value) {
                return Err(Misunderstood(format!("«{key}» debe estar entre {least} y {most}")));
            }
        }
        let missing = match (&self.tls_cert, &self.tls_key) {
            (Some(_), None) => "tls_key",
            (None, Some(_)) => "tls_cert",
            _ => return Ok(()),
        };
        Err(Misunderstood(format!("«tls_cert» y «tls_key» van juntas; falta «{missing}»")))
    }

    /// How long requests may still take after a signal.
    pub fn shutdown_max(&self) -> Duration {
        Duration::from_secs(self.shutdown_max_s)
    }

    /// The same as a configuration file, complete and without secrets.
    ///
    /// # Errors
    /// When a path is no text.
    pub fn toml(&self) -> Result<String, toml::ser::Error> {
        let shown = Self { database: Some(self.database()), ..self.clone() };
        toml::to_string(&shown)
    }
}

/// A configuration that is not understood. Whoever runs the server reads it, so it is Spanish; values are not repeated,
/// because they may be secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misunderstood(String);

impl fmt::Display for Misunderstood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misunderstood {}

/// What a file says.
///
/// # Errors
/// When it cannot be read, is not TOML, has a key that does not exist, or a value that does not fit.
pub fn from_file(path: &Path) -> Result<Settings, Misunderstood> {
    let of_file =
        |what: String| Misunderstood(format!("el archivo de configuración {}: {what}", path.display()));
    let text =
        std::fs::read_to_string(path).map_err(|error| of_file(format!("no se puede leer ({error})")))?;
    from_toml(&text).map_err(of_file)
}

fn from_toml(text: &str) -> Result<Settings, String> {
    let table: toml::Table = toml::from_str(text).map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        format!("la línea {} no es TOML válido o repite una clave", before.matches('\n').count() + 1)
    })?;
    let mut settings = Settings::default();
    for (key, value) in table {
        let Some((_, _, form)) = Settings::ALL.iter().find(|(known, _, _)| *known == key) else {
            return Err(format!(
                "la clave «{key}» no existe. Las que existen son: {}",
                known(|(key, _, _)| key)
            ));
        };
        let one = toml::Table::from_iter([(key.clone(), value)]);
        let read: Settings =
            one.try_into().map_err(|_| format!("el valor de la clave «{key}» no sirve; se espera {form}"))?;
        settings = settings.or(read);
    }
    Ok(settings)
}

/// Refuses a variable with our prefix that is none of ours: it would be a setting that silently does not hold.
///
/// # Errors
/// The first such variable.
pub fn refuse_unknown_variables(names: impl Iterator<Item = String>) -> Result<(), Misunderstood> {
    let is_ours = |name: &str| {
        name == super::CONFIG_VARIABLE || Settings::ALL.iter().any(|(_, variable, _)| *variable == name)
    };
    for name in names.filter(|name| name.starts_with(PREFIX)) {
        if !is_ours(&name) {
            let known = known(|(_, variable, _)| variable);
            let what = format!("la variable de entorno «{name}» no existe. Las que existen son: {known}");
            return Err(Misunderstood(what));
        }
    }
    Ok(())
}

fn known(name: fn(&(&'static str, &'static str, &'static str)) -> &'static str) -> String {
    Settings::ALL.iter().map(name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn each_setting_has_one_name_in_three_forms_and_stands_in_the_manual() {
        let program = crate::cli::Cli::command();
        let serve = program.find_subcommand("serve").expect("there");
        let manual = include_str!("../../../../docs/OPERATIONS.md");
        for (key, variable, form) in Settings::ALL {
            assert_eq!(*variable, format!("{PREFIX}{}", key.to_uppercase()));
            let flag = serve.get_arguments().find(|arg| arg.get_id() == key).expect("a flag");
            let dashes = key.replace('_', "-");
            assert_eq!(flag.get_long(), Some(dashes.as_str()));
            let row = format!("| `{key}` | `{form}` |").replace("text|json", "text\\|json");
            assert!(
                manual.contains(&row.replace("true|false", "true\\|false")),
                "docs/OPERATIONS.md lacks {row}"
            );
        }
    }

    #[test]
    fn what_is_printed_is_a_file_that_says_the_same() {
        let text = Settings::default().effective().toml().expect("written");
        let again = from_toml(&text).expect("read").effective().toml().expect("written");
        assert_eq!(text, again);
        let optional = ["metrics_listen", "tls_cert", "tls_key", "minimum_client", "smtp", "mail_from"];
        for (key, _, _) in Settings::ALL.iter().filter(|(key, _, _)| !optional.contains(key)) {
            assert!(text.lines().any(|line| line.starts_with(&format!("{key} = "))), "{key}: {text}");
        }
    }

    #[test]
    fn a_flag_goes_before_the_file_and_the_file_before_what_is_usual() {
        let file = from_toml("listen = \"127.0.0.1:1\"\nlookups_a_day = 7\ntrusted_proxies = [\"10.0.0.5\"]");
        let flag = Settings { listen: Some(SocketAddr::from(([127, 0, 0, 1], 2))), ..Settings::default() };
        let holds = flag.or(file.expect("read")).effective();
        assert_eq!((holds.listen.port(), holds.lookups_a_day, holds.lookups_a_minute), (2, 7, 60));
        assert_eq!(holds.config().trusted_proxies.len(), 1);
    }

    #[test]
    fn what_is_not_understood_is_said_in_spanish_and_not_repeated() {
        let said = |text: &str| from_toml(text).expect_err("refused");
        assert!(
            said("listn = \"127.0.0.1:1\"")
                .starts_with("la clave «listn» no existe. Las que existen son: data_dir,")
        );
        assert_eq!(
            said("listen = \"secreto\""),
            "el valor de la clave «listen» no sirve; se espera ADDRESS:PORT"
        );
        assert_eq!(
            said("log_format = \"xml\""),
            "el valor de la clave «log_format» no sirve; se espera text|json"
        );
        assert_eq!(
            said("minimum_client = \"0.2\""),
            "el valor de la clave «minimum_client» no sirve; se espera MAJOR.MINOR.PATCH"
        );
        assert_eq!(said("\n\nlisten = "), "la línea 3 no es TOML válido o repite una clave");
        assert_eq!(said("log = \"a\"\nlog = \"b\""), "la línea 2 no es TOML válido o repite una clave");
        let unknown = refuse_unknown_variables(["PATH", "HANNA_SERVER_LISTN"].map(str::to_owned).into_iter());
        assert!(unknown.expect_err("refused").to_string().contains("«HANNA_SERVER_LISTN» no existe"));
    }

    #[test]
    fn numbers_that_would_leave_nobody_served_are_refused() {
        let checked = |text: &str| from_toml(text).expect("read").effective().check();
        for fine in ["", "connections_max = 1\nhead_max_s = 1\nbody_max_s = 86400\nshutdown_max_s = 0"] {
            assert_eq!(checked(fine), Ok(()), "{fine}");
        }
        for key in ["connections_max", "head_max_s", "body_max_s"] {
            let refused = checked(&format!("{key} = 0")).expect_err("refused").to_string();
            assert!(refused.starts_with(&format!("«{key}» debe estar entre 1 y ")), "{refused}");
        }
        assert!(checked("shutdown_max_s = 86401").is_err());
    }

    #[test]
    fn a_certificate_and_its_key_go_together() {
        let checked = |text: &str| from_toml(text).expect("read").effective().check();
        for (given, missing) in [("tls_cert", "tls_key"), ("tls_key", "tls_cert")] {
            let refused = checked(&format!("{given} = \"x.pem\"")).expect_err("refused").to_string();
            assert_eq!(refused, format!("«tls_cert» y «tls_key» van juntas; falta «{missing}»"));
        }
        assert_eq!(checked("tls_cert = \"a.pem\"\ntls_key = \"b.pem\""), Ok(()));
    }

    #[test]
    fn a_password_is_not_shown() {
        let settings = from_toml("smtp = \"smtps://hanna:s3cr3t@mail.caja.co\"\nmail_from = \"h@caja.co\"")
            .expect("read");
        assert!(!format!("{settings:?}").contains("s3cr3t"));
        let shown = settings.effective().toml().expect("written");
        assert!(shown.contains("smtps://hanna:•••@mail.caja.co"), "{shown}");
        assert_eq!(without_password("smtps://hanna:s3:cr@et@mail"), "smtps://hanna:•••@mail");
        assert_eq!(without_password("smtp://hanna@mail"), "smtp://hanna@mail");
        assert_eq!(without_password("smtp://localhost"), "smtp://localhost");
    }
}
