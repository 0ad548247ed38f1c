//! Pictures of every screen: light and dark, large and small.

use std::path::{Path, PathBuf};

use crate::window::Window;

/// Where the pictures go.
pub struct Album(PathBuf);

impl Album {
    /// In `HANNA_DEMO_DIR`, or in `e2e/` beside the built programs.
    pub fn open() -> Self {
        let folder = std::env::var_os("HANNA_DEMO_DIR").map_or_else(
            || {
                let mut folder = std::env::current_exe().expect("a path");
                folder.pop();
                folder.pop();
                folder.join("e2e")
            },
            PathBuf::from,
        );
        std::fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// The screen as it is.
    pub async fn keep(&self, window: &Window, name: &str) {
        window.settle().await;
        let picture = window.picture().await;
        assert!(picture.starts_with(b"\x89PNG"), "{name} is no picture");
        std::fs::write(self.0.join(format!("{name}.png")), picture).expect("kept");
    }

    /// The screen in every size and theme, each looked at by axe-core too.
    pub async fn keep_all(&self, window: &Window, name: &str) {
        for (width, height) in [(1024, 768), (1280, 800)] {
            window.resize(width, height).await;
            for theme in ["dark", "light"] {
                window
                    .run(&format!("document.documentElement.classList.toggle('dark', {})", theme == "dark"))
                    .await;
                self.keep(window, &format!("{name}-{width}x{height}-{theme}")).await;
                let faults = window.accessibility_faults().await;
                assert!(faults.is_empty(), "{name}, {width}x{height}, {theme}: {faults:#?}");
            }
        }
    }
}
