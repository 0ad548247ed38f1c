//! A PostgreSQL of a test's own, and a standby of it.
//!
//! It has its own folder and socket, no port, touches no PostgreSQL of the machine, and ends with the test, however that
//! ends: the shell that started it waits for the end of its standard input, which comes when this process is gone.
//! PostgreSQL refuses to run as root: for root it runs as the user `postgres`, or as `nobody` where there is none.
//!
//! A crate of its own because the server's tests and those of everything together both need it, and the testkit uses the
//! server.

use std::fs::{self, Permissions};
use std::io::{self, BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};

use tempfile::TempDir;

/// Where Debian and its descendants keep a version's programs.
const DEBIAN: &str = "/usr/lib/postgresql";

/// Starts the cluster in its folder, says so, waits until its input ends, and stops it at once: nobody needs it any more.
const SCRIPT: &str = r#"
programs=$1 folder=$2
trap '' INT HUP TERM  # meant for the test, whose end is enough
"$programs/pg_ctl" -D "$folder/data" -l "$folder/data/log" -w -t 60 start >/dev/null && echo started
read -r _
"$programs/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null 2>&1
rm -rf "$folder"
"#;

/// Faster and smaller than a real one: its data live no longer than the test, and only the processes of it are killed,
/// never the machine.
const SETTINGS: &str = "
listen_addresses = ''
fsync = off
full_page_writes = off
shared_buffers = 32MB
max_connections = 100
max_wal_size = 2GB
deadlock_timeout = 200ms
wal_receiver_status_interval = 1s
hot_standby_feedback = on
";

/// A running cluster; dropping it stops it.
#[derive(Debug)]
pub struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    /// The shell around it.
    shell: Child,
    /// Its end is the cluster's.
    input: Option<ChildStdin>,
}

impl Cluster {
    /// Starts an empty cluster.
    ///
    /// # Errors
    /// With what is missing and how to get it, or with what PostgreSQL complained about.
    pub fn start() -> io::Result<Self> {
        Self::start_with("")
    }

    /// Starts an empty cluster with more settings, a line each.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub fn start_with(settings: &str) -> io::Result<Self> {
        let programs = programs()?;
        let folder = folder()?;
        let data = folder.path().join("data");
        let mut initdb = as_its_user(&programs.join("initdb"));
        initdb.args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]);
        complain(&initdb.arg("--pgdata").arg(&data).output()?)?;
        append(
            &data,
            &format!("{SETTINGS}\n{settings}\nunix_socket_directories = '{}'\n", socket(&folder).display()),
        )?;
        Self::run(programs, folder)
    }

    /// Starts a standby that follows this cluster. From then on nothing is committed here that the standby does not have.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub fn standby(&self) -> io::Result<Self> {
        let folder = folder()?;
        let data = folder.path().join("data");
        let mut backup = as_its_user(&self.programs.join("pg_basebackup"));
        backup.args([
            "--username=postgres",
            "--checkpoint=fast",
            "--wal-method=stream",
            "--write-recovery-conf",
        ]);
        complain(&backup.arg("--host").arg(socket(&self.folder)).arg("--pgdata").arg(&data).output()?)?;
        append(&data, &format!("unix_socket_directories = '{}'\n", socket(&folder).display()))?;
        let standby = Self::run(self.programs.clone(), folder)?;
        self.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'")?;
        self.sql("postgres", "SELECT pg_reload_conf()")?;
        Ok(standby)
    }

    fn run(programs: PathBuf, folder: TempDir) -> io::Result<Self> {
        let mut shell = as_its_user(Path::new("sh"));
        shell.args(["-c", SCRIPT, "sh"]).arg(&programs).arg(folder.path());
        let mut shell =
            shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()?;
        let (input, output) = (shell.stdin.take(), shell.stdout.take());
        let cluster = Self { folder, programs, shell, input };
        let mut said = String::new();
        if let Some(output) = output {
            BufReader::new(output).read_line(&mut said)?;
        }
        if said == "started\n" {
            return Ok(cluster);
        }
        let log = fs::read_to_string(cluster.data().join("log")).unwrap_or_default();
        Err(io::Error::other(format!("the test's PostgreSQL does not start: {log}")))
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The folder of its socket, which stands for its host.
    pub fn host(&self) -> String {
        socket(&self.folder).display().to_string()
    }

    /// The address of a database of this cluster.
    pub fn url(&self, database: &str) -> String {
        Self::url_of(&[self], database)
    }

    /// The address of a database of whichever of these clusters can be written.
    pub fn url_of(clusters: &[&Self], database: &str) -> String {
        let hosts: Vec<String> = clusters.iter().map(|cluster| cluster.host().replace('/', "%2F")).collect();
        format!("postgres://postgres@{}/{database}", hosts.join(","))
    }

    /// Makes an empty database, and gives its address.
    ///
    /// # Errors
    /// With what PostgreSQL complained about.
    pub fn make(&self, database: &str) -> io::Result<String> {
        self.sql("postgres", &format!("CREATE DATABASE {database}"))?;
        Ok(self.url(database))
    }

    /// A program of PostgreSQL's that connects here: `psql`, `pgbench`.
    #[must_use]
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.args(["--username=postgres", "--host"]).arg(self.host());
        command
    }

    /// Runs SQL, and gives what it answers: a line a row, columns between `|`.
    ///
    /// # Errors
    /// With what PostgreSQL complained about.
    pub fn sql(&self, database: &str, sql: &str) -> io::Result<String> {
        let mut psql = self.program("psql");
        psql.args(["--no-psqlrc", "--no-align", "--tuples-only", "--quiet", "--set=ON_ERROR_STOP=1"]);
        psql.args(["--dbname", database, "--command", sql]);
        Ok(complain(&psql.output()?)?.trim_end().to_owned())
    }

    /// Kills its processes in the middle of whatever they do, as a machine that loses its power would; nothing is rolled
    /// back or said to anybody.
    ///
    /// # Errors
    /// With what PostgreSQL complained about.
    pub fn kill(&self) -> io::Result<()> {
        self.control(&["-m", "immediate", "-w", "stop"])
    }

    /// Makes a standby the one that is written.
    ///
    /// # Errors
    /// With what PostgreSQL complained about.
    pub fn promote(&self) -> io::Result<()> {
        self.control(&["-w", "promote"])
    }

    fn control(&self, args: &[&str]) -> io::Result<()> {
        let mut pg_ctl = as_its_user(&self.programs.join("pg_ctl"));
        complain(&pg_ctl.arg("-D").arg(self.data()).args(args).output()?).map(drop)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.input.take());
        // Nothing can be done about a shell that cannot be waited for.
        let _ = self.shell.wait();
    }
}

/// The programs of the newest version that is installed.
fn programs() -> io::Result<PathBuf> {
    let versions = fs::read_dir(DEBIAN).into_iter().flatten().flatten().map(|version| version.path());
    let newest = versions
        .filter(|path| path.join("bin/initdb").exists())
        .max_by_key(|path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()));
    if let Some(version) = newest {
        return Ok(version.join("bin"));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let somewhere = std::env::split_paths(&path).find(|folder| folder.join("initdb").exists());
    somewhere.ok_or_else(|| {
        io::Error::other("PostgreSQL is missing: `cargo xtask test` installs it (Debian: postgresql)")
    })
}

/// A folder PostgreSQL's user can live in.
fn folder() -> io::Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("hanna-pg-").tempdir()?;
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
    for name in ["data", "socket"] {
        let path = folder.path().join(name);
        fs::create_dir(&path)?;
        fs::set_permissions(&path, Permissions::from_mode(0o700))?;
    }
    if is_root() {
        let (user, group) = ids()?;
        // Its own too, so that it can take it away.
        for path in [folder.path().to_owned(), folder.path().join("data"), folder.path().join("socket")] {
            chown(&path, Some(user), Some(group))?;
        }
    }
    Ok(folder)
}

fn socket(folder: &TempDir) -> PathBuf {
    folder.path().join("socket")
}

fn append(data: &Path, settings: &str) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().append(true).open(data.join("postgresql.conf"))?;
    io::Write::write_all(&mut file, settings.as_bytes())
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// The user PostgreSQL runs as for root, and its group.
fn ids() -> io::Result<(u32, u32)> {
    for name in ["postgres", "nobody"] {
        let id = |what: &str| -> io::Result<Option<u32>> {
            let output = Command::new("id").args([what, name]).output()?;
            Ok(String::from_utf8_lossy(&output.stdout).trim().parse().ok())
        };
        if let (Some(user), Some(group)) = (id("-u")?, id("-g")?) {
            return Ok((user, group));
        }
    }
    Err(io::Error::other("there is neither a user postgres nor a user nobody to run PostgreSQL as"))
}

/// A program, run by the user PostgreSQL accepts.
fn as_its_user(program: &Path) -> Command {
    let mut command = match (is_root(), ids()) {
        (true, Ok((user, group))) => {
            let mut command = Command::new("setpriv");
            command.arg(format!("--reuid={user}")).arg(format!("--regid={group}")).arg("--clear-groups");
            command.arg(program);
            command
        }
        _ => Command::new(program),
    };
    // It may not enter the folder of whoever runs the test.
    command.current_dir("/").env("LC_ALL", "C");
    command
}

fn complain(output: &Output) -> io::Result<String> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
}
