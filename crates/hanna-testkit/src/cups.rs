//! A real print spooler of the test's own: a private CUPS with one CUPS-PDF printer.
//!
//! It has its own folder, socket and queue, touches no spooler of the machine, and ends with the test, however that
//! ends: the shell that started it waits for the end of its standard input, which comes when this process is gone.
//!
//! The one thing outside of the folder is a file of settings in `/etc/cups`, where CUPS-PDF reads those of its
//! instances and nowhere else; it goes when the spooler goes. For that and for CUPS-PDF itself the spooler runs as
//! root: as it is for root, through `sudo -n` for anybody else.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// What has to be there; all of it comes with Debian's packages `cups`, `cups-client` and `printer-driver-cups-pdf`.
const NEEDED: [&str; 4] =
    ["/usr/sbin/cupsd", "/usr/sbin/lpadmin", "/usr/bin/lpstat", "/usr/lib/cups/backend/cups-pdf"];
const DRIVER: &str = "lsb/usr/cups-pdf/CUPS-PDF_opt.ppd";
/// On its way to CUPS-PDF a page becomes PostScript. This way of it keeps text as text, the usual one draws it.
const RENDERER: &str = "pdftops-renderer-default=pdftocairo";
/// The printer's name.
pub const PRINTER: &str = "PDF";

/// How often to look whether the spooler is up, and how long to wait in between: five seconds in all.
const LOOKS: u32 = 250;
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// Starts the spooler, waits until its input ends, and takes everything away again.
const SCRIPT: &str = r#"
folder=$1 settings=$2
trap '' INT HUP  # meant for the test, whose end is enough
cp "$folder/cups-pdf.conf" "$settings"
/usr/sbin/cupsd -f -c "$folder/cupsd.conf" -s "$folder/cups-files.conf" &
spooler=$!
read -r _
kill "$spooler"
wait "$spooler"
rm -rf "$settings" "$folder"/root "$folder"/state "$folder"/spool "$folder"/cache "$folder"/log "$folder"/unfinished
"#;

/// A running spooler; dropping it stops it.
#[derive(Debug)]
pub struct Cups {
    folder: TempDir,
    /// The shell around the spooler.
    shell: Child,
    /// Its end is the spooler's.
    input: Option<ChildStdin>,
}

impl Cups {
    /// Starts a spooler with the printer [`PRINTER`] and waits until it takes jobs.
    ///
    /// # Errors
    /// With what is missing and how to get it, or with what the spooler complained about.
    pub fn start() -> io::Result<Self> {
        if let Some(missing) = NEEDED.iter().find(|needed| !Path::new(needed).exists()) {
            return Err(io::Error::other(format!(
                "{missing} is missing: `cargo xtask test` installs it (Debian: cups, cups-client, \
                 printer-driver-cups-pdf)"
            )));
        }
        let folder = tempfile::Builder::new().prefix("hanna-cups-").tempdir()?;
        // CUPS runs its filters as another user, who has to pass through here.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        write_settings(folder.path())?;
        let instance = instance(folder.path());
        let mut shell = as_root("sh")
            .args(["-c", SCRIPT, "sh"])
            .arg(folder.path())
            .arg(format!("/etc/cups/cups-pdf-{instance}.conf"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.path().join("complaints"))?)
            .spawn()?;
        let cups = Self { input: shell.stdin.take(), shell, folder };
        cups.wait_until_up()?;
        cups.add_printer(&instance)?;
        Ok(cups)
    }

    /// What programs need in `CUPS_SERVER` to find this spooler.
    pub fn server(&self) -> String {
        self.folder.path().join("socket").to_string_lossy().into_owned()
    }

    /// Where what was printed arrives, each job a PDF file. There is nothing before the first job.
    pub fn printed(&self) -> PathBuf {
        self.folder.path().join("printed")
    }

    /// A program that talks to this spooler, in the C locale.
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command.env("CUPS_SERVER", self.server()).env("LC_ALL", "C");
        command
    }

    #[expect(clippy::disallowed_methods, reason = "a starting spooler tells nobody when it is up")]
    fn wait_until_up(&self) -> io::Result<()> {
        for _ in 0..LOOKS {
            let answer = self.program("lpstat").arg("-r").output()?;
            if answer.stdout.starts_with(b"scheduler is running") {
                return Ok(());
            }
            std::thread::sleep(BETWEEN_LOOKS);
        }
        let complaints = fs::read_to_string(self.folder.path().join("complaints"))?;
        Err(io::Error::other(format!("the private spooler does not come up (it runs as root): {complaints}")))
    }

    fn add_printer(&self, instance: &str) -> io::Result<()> {
        let device = format!("cups-pdf:/{instance}");
        let mut adding = self.program("/usr/sbin/lpadmin");
        adding.args(["-p", PRINTER, "-E", "-v", &device, "-m", DRIVER]);
        adding.args(["-o", "PageSize=Letter", "-o", RENDERER]);
        let added = adding.output()?;
        if added.status.success() {
            Ok(())
        } else {
            let complaints = String::from_utf8_lossy(&added.stderr);
            Err(io::Error::other(format!("the private spooler takes no printer: {complaints}")))
        }
    }
}

impl Drop for Cups {
    fn drop(&mut self) {
        drop(self.input.take());
        // Nothing can be done about a shell that cannot be waited for.
        let _ = self.shell.wait();
    }
}

/// The name of the CUPS-PDF instance: the folder's, which no other test has.
fn instance(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().replace('.', "")
}

fn as_root(program: &str) -> Command {
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if is_root {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.args(["-n", program]);
    command
}

fn write_settings(folder: &Path) -> io::Result<()> {
    for name in ["root/ppd", "state", "spool/tmp", "cache", "log"] {
        fs::create_dir_all(folder.join(name))?;
    }
    let at = |name: &str| folder.join(name).display().to_string();
    let spooler = format!(
        "Listen {}\nBrowsing Off\nWebInterface No\nDefaultAuthType None\nIdleExitTimeout 0\n\
         <Location />\n  Order allow,deny\n</Location>\n\
         <Policy default>\n  JobPrivateAccess all\n  JobPrivateValues none\n  SubscriptionPrivateAccess all\n  \
         SubscriptionPrivateValues none\n  <Limit All>\n    Order deny,allow\n  </Limit>\n</Policy>\n",
        at("socket")
    );
    let files = format!(
        "ServerRoot {}\nStateDir {}\nRequestRoot {}\nTempDir {}\nCacheDir {}\nAccessLog {}\nErrorLog {}\nPageLog {}\n",
        at("root"),
        at("state"),
        at("spool"),
        at("spool/tmp"),
        at("cache"),
        at("log/access"),
        at("log/error"),
        at("log/page"),
    );
    // CUPS-PDF works as the one who prints, who may not enter the spool of CUPS: what is unfinished is kept apart.
    // Every file has the job's number in its name, so that none replaces another.
    let pdf = format!(
        "Out {printed}\nAnonDirName {printed}\nSpool {}\nLog {}\nGrp lp\nLabel 2\nTitlePref 1\n",
        at("unfinished"),
        at("log"),
        printed = at("printed"),
    );
    fs::write(folder.join("cupsd.conf"), spooler)?;
    fs::write(folder.join("cups-files.conf"), files)?;
    fs::write(folder.join("cups-pdf.conf"), pdf)
}
