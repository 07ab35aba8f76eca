//! The files of a crate, and which of them takes names from which.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path as FilePath, PathBuf};

use super::source::{Path, Source};

/// A crate's tree of modules.
pub(crate) struct House {
    modules: Vec<Module>,
}

struct Module {
    file: PathBuf,
    parent: Option<usize>,
    children: BTreeMap<String, usize>,
    source: Source,
}

/// For each file, the files that it takes names from, and these names.
pub(crate) type Arrows = BTreeMap<PathBuf, BTreeMap<PathBuf, BTreeSet<String>>>;

/// The meaning of a path.
enum Found {
    Module(usize),
    /// An item, or a name that a macro makes.
    Item {
        file: PathBuf,
        name: String,
    },
}

impl House {
    /// Reads the tree below a crate's first file, such as `src/lib.rs`. `text` reads a file, if it is
    /// there.
    pub(crate) fn read(first: &FilePath, text: &impl Fn(&FilePath) -> Option<String>) -> Self {
        let mut house = Self {
            modules: Vec::new(),
        };
        let source = text(first).expect("a crate has a first file");
        let folder = first.parent().expect("a file is in a folder");
        house.add(None, first, folder, Source::read(&source), text);
        house
    }

    /// `folder` has the files of the module's children.
    fn add(
        &mut self,
        parent: Option<usize>,
        file: &FilePath,
        folder: &FilePath,
        mut source: Source,
        text: &impl Fn(&FilePath) -> Option<String>,
    ) -> usize {
        let at = self.modules.len();
        let inline = std::mem::take(&mut source.inline);
        let outline = source.children.clone();
        self.modules.push(Module {
            file: file.to_owned(),
            parent,
            children: BTreeMap::new(),
            source,
        });
        for (name, source) in inline {
            let child = self.add(Some(at), file, &folder.join(&name), source, text);
            self.modules[at].children.insert(name, child);
        }
        for name in outline {
            let below = folder.join(&name);
            let files = [below.with_extension("rs"), below.join("mod.rs")];
            let found = files.iter().find_map(|file| Some((file, text(file)?)));
            let (file, text_of_it) = found.unwrap_or_else(|| {
                panic!(
                    "{}: no file for `mod {name}`",
                    self.modules[at].file.display()
                )
            });
            let child = self.add(Some(at), file, &below, Source::read(&text_of_it), text);
            self.modules[at].children.insert(name, child);
        }
        at
    }

    /// A name that a module passes on is taken from the file in which it is defined. `pub use` alone
    /// takes nothing.
    pub(crate) fn arrows(&self) -> Arrows {
        let mut arrows = Arrows::new();
        for (at, module) in self.modules.iter().enumerate() {
            let from = arrows.entry(module.file.clone()).or_default();
            let imports = module.source.imports.iter();
            let imported = imports.filter(|it| !it.exported).map(|it| &it.path);
            for path in module.source.paths.iter().chain(imported) {
                if let Some(Found::Item { file, name }) = self.find(at, path, &mut BTreeSet::new())
                    && file != module.file
                {
                    from.entry(file).or_default().insert(name);
                }
            }
        }
        arrows
    }

    fn find(
        &self,
        at: usize,
        path: &[String],
        seen: &mut BTreeSet<(usize, Path)>,
    ) -> Option<Found> {
        let Some((first, rest)) = path.split_first() else {
            return Some(Found::Module(at));
        };
        let module = &self.modules[at];
        let next = match first.as_str() {
            "crate" => Some(0),
            "self" => Some(at),
            "super" => Some(module.parent?),
            name => module.children.get(name).copied(),
        };
        if let Some(next) = next {
            // A name that is not found below a module of this crate was made there by a macro.
            return self
                .find(next, rest, seen)
                .or_else(|| Some(self.item(next, rest.first()?)));
        }
        if module.source.items.contains(first) {
            return Some(self.item(at, first));
        }
        if !seen.insert((at, path.to_vec())) {
            return None;
        }
        let imports = module.source.imports.iter();
        let mut named = imports.filter(|it| it.name == *first || it.name == "*");
        named.find_map(|import| {
            let below = if import.name == "*" { path } else { rest };
            match self.find(at, &import.path, seen)? {
                Found::Module(module) => self.find(module, below, seen),
                item @ Found::Item { .. } => Some(item),
            }
        })
    }

    fn item(&self, module: usize, name: &str) -> Found {
        Found::Item {
            file: self.modules[module].file.clone(),
            name: name.to_owned(),
        }
    }
}
