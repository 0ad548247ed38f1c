//! What this machine lacks, and how to get it.
//!
//! One table says what is needed and how its presence is told. On Debian and its descendants what is missing is
//! installed; elsewhere it is named in the words of that system's package manager, and the work stops only if
//! something is really missing.

use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

use anyhow::{Context as _, Result, bail, ensure};

use crate::process::{self, find_program};

/// What is going to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Compile the programs and open the window.
    Run,
    /// Also drive the window, its keyring and its printer, on a virtual display.
    Test,
}

/// How to tell that something is there.
#[derive(Debug, Clone, Copy)]
enum Probe {
    /// A program in `PATH`.
    Program(&'static str),
    /// A library with its headers, by the name `pkg-config` knows.
    Library(&'static str),
    /// A file.
    File(&'static str),
    /// A module of Python's own.
    PythonModule(&'static str),
}

/// One thing needed on Linux.
#[derive(Debug)]
struct Need {
    purpose: Purpose,
    debian: &'static str,
    arch: &'static str,
    probe: Probe,
}

const fn need(purpose: Purpose, debian: &'static str, arch: &'static str, probe: Probe) -> Need {
    Need { purpose, debian, arch, probe }
}

const NEEDS: &[Need] = &[
    need(Purpose::Run, "build-essential", "base-devel", Probe::Program("cc")),
    need(Purpose::Run, "pkg-config", "pkgconf", Probe::Program("pkg-config")),
    need(Purpose::Run, "libwebkit2gtk-4.1-dev", "webkit2gtk-4.1", Probe::Library("webkit2gtk-4.1")),
    need(Purpose::Run, "libdbus-1-dev", "dbus", Probe::Library("dbus-1")),
    // SQLCipher takes its ciphers from the system's libcrypto.
    need(Purpose::Run, "libssl-dev", "openssl", Probe::Library("libcrypto")),
    need(Purpose::Test, "xvfb", "xorg-server-xvfb", Probe::Program("xvfb-run")),
    need(Purpose::Test, "xauth", "xorg-xauth", Probe::Program("xauth")),
    need(Purpose::Test, "dbus", "dbus", Probe::Program("dbus-run-session")),
    need(Purpose::Test, "webkit2gtk-driver", "webkit2gtk-4.1", Probe::Program("WebKitWebDriver")),
    need(Purpose::Test, "gnome-keyring", "gnome-keyring", Probe::Program("gnome-keyring-daemon")),
    need(Purpose::Test, "cups", "cups", Probe::File("/usr/sbin/cupsd")),
    need(Purpose::Test, "cups-client", "cups", Probe::Program("lp")),
    need(Purpose::Test, "printer-driver-cups-pdf", "cups-pdf", Probe::File("/usr/lib/cups/backend/cups-pdf")),
    need(Purpose::Test, "faketime", "libfaketime", Probe::Program("faketime")),
    need(Purpose::Test, "poppler-utils", "poppler", Probe::Program("pdftotext")),
    need(Purpose::Test, "chromium", "chromium", Probe::Program("chromium")),
    // Debian keeps what a virtual environment begins with apart from Python itself.
    need(Purpose::Test, "python3-venv", "python", Probe::PythonModule("ensurepip")),
    need(Purpose::Test, "sqlite3", "sqlite", Probe::Program("sqlite3")),
    need(Purpose::Test, "python3-aiosmtpd", "python-aiosmtpd", Probe::Program("aiosmtpd")),
    // Debian keeps the server's own programs out of `PATH`: there the package is asked for.
    need(Purpose::Test, "postgresql", "postgresql", Probe::Program("postgres")),
];

/// Vite's own minimum.
const NODE_MIN: (u32, u32) = (20, 19);

/// Makes sure that what `purpose` takes is here.
///
/// # Errors
/// When something is missing and cannot be installed, with what to do about it.
pub fn ensure_installed(purpose: Purpose) -> Result<()> {
    ensure_node()?;
    if !cfg!(target_os = "linux") {
        println!("{}", other_system(env::consts::OS));
        return Ok(());
    }
    let needs: Vec<&Need> = NEEDS.iter().filter(|need| need.purpose <= purpose).collect();
    match Family::of(&fs::read_to_string("/etc/os-release").unwrap_or_default()) {
        Family::Debian => apt_install(&needs),
        family => {
            let missing: Vec<&Need> = needs.into_iter().filter(|need| !need.probe.is_there()).collect();
            ensure!(
                missing.is_empty(),
                "this machine lacks something. Install it with:\n  {}",
                family.install(&missing)
            );
            Ok(())
        }
    }
}

/// What a Linux calls its packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Debian,
    Arch,
    Rpm,
    Unknown,
}

impl Family {
    /// Reads `/etc/os-release`.
    fn of(os_release: &str) -> Self {
        let words = os_release
            .lines()
            .filter_map(|line| line.strip_prefix("ID=").or_else(|| line.strip_prefix("ID_LIKE=")))
            .flat_map(|value| value.trim_matches('"').split_whitespace());
        for word in words {
            match word {
                "debian" | "ubuntu" => return Self::Debian,
                "arch" => return Self::Arch,
                "fedora" | "rhel" | "suse" | "opensuse" => return Self::Rpm,
                _ => {}
            }
        }
        Self::Unknown
    }

    /// The line that installs `missing`.
    fn install(self, missing: &[&Need]) -> String {
        let words = |word: fn(&Need) -> String| {
            let mut words: Vec<String> = missing.iter().map(|need| word(need)).collect();
            words.dedup();
            words.join(" ")
        };
        match self {
            Self::Debian => format!("apt-get install {}", words(|need| need.debian.to_owned())),
            Self::Arch => format!("pacman -S --needed {}", words(|need| need.arch.to_owned())),
            // Both find a package by what it provides.
            Self::Rpm => {
                format!("dnf install {0}\n  (or zypper install {0})", words(|need| need.probe.provided()))
            }
            Self::Unknown => {
                format!("your package manager; on Debian they are {}", words(|need| need.debian.to_owned()))
            }
        }
    }
}

impl Probe {
    fn is_there(self) -> bool {
        match self {
            Self::Program(name) => find_program(name).is_some(),
            Self::File(path) => Path::new(path).exists(),
            Self::PythonModule(name) => {
                let mut python = Command::new("python3");
                python.args(["-c", &format!("import {name}")]).stdout(Stdio::null()).stderr(Stdio::null());
                python.status().is_ok_and(|status| status.success())
            }
            Self::Library(name) => {
                let mut pkg_config = Command::new("pkg-config");
                pkg_config.args(["--exists", name]).stdout(Stdio::null()).stderr(Stdio::null());
                pkg_config.status().is_ok_and(|status| status.success())
            }
        }
    }

    /// What an RPM package that brings it says it provides.
    fn provided(self) -> String {
        match self {
            Self::Program(name) => format!("/usr/bin/{name}"),
            Self::File(path) => path.to_owned(),
            Self::PythonModule(_) => "/usr/bin/python3".to_owned(),
            Self::Library(name) => format!("'pkgconfig({name})'"),
        }
    }
}

/// Installs what `dpkg` does not know as installed. When nothing is missing this is one call.
fn apt_install(needs: &[&Need]) -> Result<()> {
    let wanted: Vec<&str> = needs.iter().map(|need| need.debian).collect();
    let mut missing = missing_packages(&wanted, &dpkg_status(&wanted)?);
    // A browser that came some other way (on Ubuntu: as a snap) is one all the same. What is compiled against comes
    // from the packages, which bring all their parts.
    missing.retain(|package| {
        !needs
            .iter()
            .any(|need| need.debian == *package && need.purpose == Purpose::Test && need.probe.is_there())
    });
    if missing.is_empty() {
        println!("Every Debian package is here.");
        return Ok(());
    }
    println!("Installing Debian packages: {}", missing.join(" "));
    let apt_get = |args: &[&str]| -> Result<Command> {
        let mut command = as_root("env")?;
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).args(args);
        Ok(command)
    };
    process::run(&mut apt_get(&["update", "--quiet=2"])?)?;
    let mut install =
        apt_get(&["install", "--yes", "--quiet=2", "--option=Dpkg::Use-Pty=0", "--no-install-recommends"])?;
    process::run(install.args(&missing)).context("the packages named above have to be installed by hand")
}

/// What `dpkg` knows of `packages`: a line each, `name status`. It has no line for what it never heard of.
fn dpkg_status(packages: &[&str]) -> Result<String> {
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat=${Package} ${db:Status-Status}\n"]).args(packages);
    let output = query.stderr(Stdio::null()).output().context("cannot start dpkg-query")?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn missing_packages<'a>(wanted: &[&'a str], status: &str) -> Vec<&'a str> {
    let installed: Vec<&str> = status.lines().filter_map(|line| line.strip_suffix(" installed")).collect();
    wanted.iter().copied().filter(|package| !installed.contains(package)).collect()
}

/// A command that runs as root: as it is for root, through `sudo` for anybody else.
fn as_root(program: &str) -> Result<Command> {
    let uid = process::output(Command::new("id").arg("-u"))?;
    if uid.trim() == "0" {
        return Ok(Command::new(program));
    }
    ensure!(
        find_program("sudo").is_some(),
        "installing takes root, and there is no sudo here: run this as root, or install the packages named above"
    );
    let mut command = Command::new("sudo");
    command.arg(program);
    Ok(command)
}

fn ensure_node() -> Result<()> {
    let (major, minor) = NODE_MIN;
    if find_program("node").is_none() || find_program("npm").is_none() {
        bail!("Node.js {major}.{minor} or newer, with npm, has to be installed first");
    }
    let version = process::output(Command::new("node").arg("--version"))?;
    ensure!(
        node_is_enough(&version),
        "Node.js here is {}; the screens need {major}.{minor} or newer",
        version.trim()
    );
    Ok(())
}

fn node_is_enough(version: &str) -> bool {
    let mut numbers =
        version.trim().trim_start_matches('v').split('.').map_while(|part| part.parse::<u32>().ok());
    let (Some(major), Some(minor)) = (numbers.next(), numbers.next()) else { return false };
    (major, minor) >= NODE_MIN
}

fn other_system(os: &str) -> &'static str {
    match os {
        "macos" => "On macOS the build takes the Xcode command line tools: xcode-select --install",
        "windows" => {
            "On Windows the build takes the Visual Studio C++ build tools, the WebView2 runtime (part of Windows 11), \
             and Strawberry Perl for OpenSSL"
        }
        _ => "The build takes a C compiler, pkg-config, WebKitGTK 4.1, D-Bus and OpenSSL with their headers",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_dpkg_does_not_call_installed_is_missing() {
        let status = "xvfb installed\ncups config-files\nlibssl-dev installed\nlibssl-dev installed\n";
        assert_eq!(missing_packages(&["xvfb", "cups", "libssl-dev", "dbus"], status), ["cups", "dbus"]);
    }

    #[test]
    fn a_descendant_is_known_by_what_it_is_like() {
        assert_eq!(Family::of("NAME=x\nID=debian\n"), Family::Debian);
        assert_eq!(Family::of("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"), Family::Debian);
        assert_eq!(Family::of("ID=\"opensuse-tumbleweed\"\nID_LIKE=\"opensuse suse\"\n"), Family::Rpm);
        assert_eq!(Family::of("ID=manjaro\nID_LIKE=arch\n"), Family::Arch);
        assert_eq!(Family::of("ID=void\n"), Family::Unknown);
        assert_eq!(Family::of(""), Family::Unknown);
    }

    #[test]
    fn what_is_missing_is_named_in_the_words_of_the_system() {
        let missing: Vec<&Need> = NEEDS
            .iter()
            .filter(|need| ["libssl-dev", "cups", "cups-client"].contains(&need.debian))
            .collect();
        assert_eq!(Family::Arch.install(&missing), "pacman -S --needed openssl cups");
        assert!(
            Family::Rpm
                .install(&missing)
                .starts_with("dnf install 'pkgconfig(libcrypto)' /usr/sbin/cupsd /usr/bin/lp")
        );
        assert!(Family::Unknown.install(&missing).contains("libssl-dev cups cups-client"));
    }

    #[test]
    fn node_is_compared_by_number() {
        let enough = ["v20.19.0", "v20.20.2\n", "v22.0.0", "v100.1.1"];
        assert!(enough.iter().all(|version| node_is_enough(version)));
        assert!(["v20.9.0", "v18.20.0", "v9.99.0", "", "v20"].iter().all(|version| !node_is_enough(version)));
    }
}
