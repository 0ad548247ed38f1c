//! The program's window, and hands and eyes for it.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::error::{CmdError, ErrorStatus};
use fantoccini::key::Key;
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use hanna_testkit::keyring::Keyring;
use hanna_testkit::port;
use serde_json::json;

/// How long anything on the screen may take to show, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// WebKitWebDriver, ended when dropped.
pub struct Driver {
    process: Child,
    port: u16,
}

impl Driver {
    /// Starts a driver. Programs it opens get `home`, the bus of `keyring`, and the spooler at `cups`.
    pub fn start(home: &Path, keyring: &Keyring, cups: &str) -> Self {
        let port = port::free();
        let process = Command::new("WebKitWebDriver")
            .arg(format!("--port={port}"))
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .env("CUPS_SERVER", cups)
            .env("DBUS_SESSION_BUS_ADDRESS", keyring.bus())
            .env("HOME", home)
            .env("XDG_DATA_HOME", home.join(".local/share"))
            .env("XDG_CONFIG_HOME", home.join(".config"))
            .env("XDG_CACHE_HOME", home.join(".cache"))
            .env("LC_ALL", "C.UTF-8")
            // The programs it opens are of its group, and end with it.
            .process_group(0)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("WebKitWebDriver is installed (Debian: webkit2gtk-driver)");
        Self { process, port }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // It may have ended already, and the programs with it.
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", self.process.id())]).status();
        let _ = self.process.wait();
    }
}

/// What the driver says of an element that went, moved or does not take anything yet.
const BEING_DRAWN: [ErrorStatus; 4] = [
    ErrorStatus::StaleElementReference,
    ErrorStatus::NoSuchElement,
    ErrorStatus::ElementNotInteractable,
    ErrorStatus::ElementClickIntercepted,
];

/// Does `act`, and again while the page is just being drawn: the element may change between being found and being
/// used. In all these cases the driver has done nothing.
async fn patiently<T>(what: &str, act: impl AsyncFn() -> Result<T, CmdError>) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        match act().await {
            Ok(done) => return done,
            Err(error) => {
                let is_drawn_anew =
                    matches!(&error, CmdError::Standard(error) if BEING_DRAWN.contains(&error.error));
                let in_time = tokio::time::Instant::now() < deadline;
                assert!(is_drawn_anew && in_time, "{what}: {error}");
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Whether there is a process whose last argument this is.
fn is_running(last: &str) -> bool {
    let wanted = format!("\0{last}\0");
    let processes = std::fs::read_dir("/proc").expect("Linux");
    let mut lines = processes.flatten().map(|process| std::fs::read(process.path().join("cmdline")));
    lines.any(|line| line.is_ok_and(|line| line.ends_with(wanted.as_bytes())))
}

/// The program, opened.
pub struct Window {
    client: Client,
    /// The last argument of the program, the folder of its data: no other program is started with it.
    folder: String,
}

impl Window {
    /// Opens the program through `driver`; the last argument is the folder of its data.
    pub async fn open(driver: &Driver, program: &Path, arguments: &[String]) -> Self {
        let mut capabilities = Capabilities::new();
        let options = json!({ "binary": program, "args": arguments });
        capabilities.insert("webkitgtk:browserOptions".into(), options);
        let url = format!("http://127.0.0.1:{}", driver.port);
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let client = loop {
            let mut builder = ClientBuilder::rustls().expect("a client");
            // A program that ends before it has a window is waited for without end.
            let opening = builder.capabilities(capabilities.clone());
            let opened = tokio::time::timeout(PATIENCE, opening.connect(&url)).await;
            match opened.expect("the program opens a window") {
                Ok(client) => break client,
                // The driver may not listen yet.
                Err(error) => assert!(tokio::time::Instant::now() < deadline, "no window: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        Self { client, folder: arguments.last().expect("a folder").clone() }
    }

    /// What the attribute `name` of the element says.
    pub async fn attribute(&self, id: &str, name: &str) -> String {
        let said = self.with(id, async |element| element.attr(name).await).await;
        said.unwrap_or_default()
    }

    /// Closes the program, and waits until it has ended: one that is started before is sent to the window that closes.
    pub async fn close(self) {
        self.client.close().await.expect("closed");
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while is_running(&self.folder) {
            assert!(tokio::time::Instant::now() < deadline, "the program does not end");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn resize(&self, width: u32, height: u32) {
        self.client.set_window_size(width, height).await.expect("resized");
    }

    /// Waits for the element with this test id.
    pub async fn see(&self, id: &str) -> Element {
        let css = format!("[data-testid=\"{id}\"]");
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(&css)).await;
        assert!(found.is_ok(), "{id} is not on the screen:\n{}", self.text().await);
        found.expect("just asserted")
    }

    /// Does something with the element, once it is on the screen; one that was drawn anew meanwhile is looked for again.
    async fn with<T>(&self, id: &str, act: impl AsyncFn(Element) -> Result<T, CmdError>) -> T {
        self.see(id).await;
        let css = format!("[data-testid=\"{id}\"]");
        patiently(id, async || act(self.client.find(Locator::Css(&css)).await?).await).await
    }

    /// Whether the element is on the screen now.
    pub async fn has(&self, id: &str) -> bool {
        self.count(id).await > 0
    }

    pub async fn count(&self, id: &str) -> usize {
        let css = format!("[data-testid=\"{id}\"]");
        self.client.find_all(Locator::Css(&css)).await.expect("asked").len()
    }

    /// Everything that can be read.
    pub async fn text(&self) -> String {
        self.run("return document.body.innerText").await.as_str().unwrap_or_default().to_owned()
    }

    pub async fn text_of(&self, id: &str) -> String {
        self.with(id, async |element| element.text().await).await
    }

    /// Waits until what `id` says contains `text`.
    pub async fn read(&self, id: &str, text: &str) {
        self.until(&format!("{id} says {text:?}"), async || {
            let css = format!("[data-testid=\"{id}\"]");
            let found = self.client.find_all(Locator::Css(&css)).await.expect("asked");
            for element in found {
                // An element may go while it is asked.
                if element.text().await.is_ok_and(|said| said.to_lowercase().contains(&text.to_lowercase())) {
                    return true;
                }
            }
            false
        })
        .await;
    }

    /// Waits until the card says this verdict, by its code.
    pub async fn verdict(&self, code: &str) {
        let css = format!("[data-testid=\"verdict\"][data-verdict=\"{code}\"]");
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(&css)).await;
        assert!(found.is_ok(), "no {code} on the screen:\n{}", self.text().await);
    }

    pub async fn until(&self, what: &str, condition: impl AsyncFn() -> bool) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !condition().await {
            assert!(
                tokio::time::Instant::now() < deadline,
                "never: {what}; the screen:\n{}",
                self.text().await
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub async fn click(&self, id: &str) {
        self.with(id, async |element| element.click().await).await;
    }

    /// Types into the field with this test id, in place of what is there.
    pub async fn fill(&self, id: &str, text: &str) {
        self.with(id, async |field| {
            field.clear().await?;
            field.send_keys(text).await
        })
        .await;
    }

    /// Gives the file at `path` to the field, as the system's dialog does.
    pub async fn upload(&self, id: &str, path: &Path) {
        let field = self.see(id).await;
        field.send_keys(path.to_str().expect("UTF-8")).await.expect("given");
    }

    /// What stands in the field.
    pub async fn value(&self, id: &str) -> String {
        let value = self.with(id, async |field| field.prop("value").await).await;
        value.unwrap_or_default()
    }

    /// Presses a key where the focus is.
    pub async fn press(&self, key: Key) {
        self.type_text(&char::from(key).to_string()).await;
    }

    /// Types where the focus is: nobody clicks into the field first.
    pub async fn type_text(&self, text: &str) {
        patiently("type where the focus is", async || {
            self.client.active_element().await?.send_keys(text).await
        })
        .await;
    }

    /// Runs a script in the page.
    pub async fn run(&self, script: &str) -> serde_json::Value {
        self.client.execute(script, vec![]).await.expect("run")
    }

    /// Waits until nothing on the page moves any more.
    pub async fn settle(&self) {
        let script = "const done = arguments[arguments.length - 1];
            requestAnimationFrame(() => Promise.allSettled(document.getAnimations()
                .filter((one) => one.effect?.getComputedTiming().iterations !== Infinity)
                .map((one) => one.finished)).then(() => done()));";
        self.client.execute_async(script, vec![]).await.expect("settled");
    }

    /// What axe-core finds wrong with the page, for people who use it with other means.
    pub async fn accessibility_faults(&self) -> Vec<String> {
        if self.run("return typeof window.axe").await != "object" {
            let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../ui/node_modules/axe-core/axe.min.js");
            let axe = std::fs::read_to_string(source).expect("axe-core is installed (npm ci in ui/)");
            self.run(&axe).await;
        }
        let script = "const done = arguments[arguments.length - 1];
            window.axe.run(document, { resultTypes: ['violations'] }).then(
                (found) => done(found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.failureSummary + ' ' + n.html).join(' ')}`)),
                (error) => done([String(error)]),
            );";
        let found = self.client.execute_async(script, vec![]).await.expect("asked");
        serde_json::from_value(found).expect("a list")
    }

    /// A picture of the page, as PNG.
    pub async fn picture(&self) -> Vec<u8> {
        self.client.screenshot().await.expect("a picture")
    }
}
