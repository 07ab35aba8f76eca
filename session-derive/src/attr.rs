//! The options of `#[session(..)]`: which there are, on what, and how each is written; what they
//! mean together is not known here.

use syn::ext::IdentExt;
use syn::parse::Parse;
use syn::{Attribute, Expr, Ident, LitStr, Path, TypePath};

use crate::case::Case;
use crate::diag::{Errors, hint};
use crate::syntax::{Value, split};

/// What is written on a struct.
#[derive(Default)]
pub(crate) struct StructAttrs {
    pub(crate) crate_path: Option<Given<Path>>,
    pub(crate) flatten: Option<Given<()>>,
    pub(crate) name: Option<Given<LitStr>>,
    pub(crate) rename_all: Option<Given<Case>>,
}

impl Options for StructAttrs {
    const LEVEL: &str = "struct";
    type Elsewhere = FieldAttrs;
    const KNOWN: &[Known<Self>] = &[
        Known {
            name: "crate",
            usage: "crate = my_crate::sessile",
            read: |attrs, option| set(&mut attrs.crate_path, option.value("a path")?),
        },
        Known {
            name: "flatten",
            usage: "flatten",
            read: |attrs, option| set(&mut attrs.flatten, option.alone()?),
        },
        Known {
            name: "name",
            usage: r#"name = "cart""#,
            read: |attrs, option| set(&mut attrs.name, option.value("a string")?),
        },
        Known {
            name: "rename_all",
            usage: r#"rename_all = "camelCase""#,
            read: |attrs, option| set(&mut attrs.rename_all, option.case()?),
        },
    ];
}

/// What is written on a field.
#[derive(Default)]
pub(crate) struct FieldAttrs {
    pub(crate) aliases: Vec<Given<LitStr>>,
    pub(crate) default: Option<Given<Expr>>,
    pub(crate) merge: Option<Given<TypePath>>,
    pub(crate) owner: Option<Given<()>>,
    pub(crate) privilege: Option<Given<()>>,
    pub(crate) rename: Option<Given<LitStr>>,
    pub(crate) required: Option<Given<()>>,
    pub(crate) skip: Option<Given<()>>,
}

impl Options for FieldAttrs {
    const LEVEL: &str = "field";
    type Elsewhere = StructAttrs;
    const KNOWN: &[Known<Self>] = &[
        Known {
            name: "alias",
            usage: r#"alias = "old""#,
            read: |attrs, option| option.value("a string").map(|key| attrs.aliases.push(key)),
        },
        Known {
            name: "default",
            usage: "default = 10",
            read: |attrs, option| set(&mut attrs.default, option.value("an expression")?),
        },
        Known {
            name: "merge",
            usage: "merge = merge::Sum",
            read: |attrs, option| set(&mut attrs.merge, option.value("the path of a rule")?),
        },
        Known {
            name: "owner",
            usage: "owner",
            read: |attrs, option| set(&mut attrs.owner, option.alone()?),
        },
        Known {
            name: "privilege",
            usage: "privilege",
            read: |attrs, option| set(&mut attrs.privilege, option.alone()?),
        },
        Known {
            name: "rename",
            usage: r#"rename = "key""#,
            read: |attrs, option| set(&mut attrs.rename, option.value("a string")?),
        },
        Known {
            name: "required",
            usage: "required",
            read: |attrs, option| set(&mut attrs.required, option.alone()?),
        },
        Known {
            name: "skip",
            usage: "skip",
            read: |attrs, option| set(&mut attrs.skip, option.alone()?),
        },
    ];
}

/// An option that was given, and what to.
pub(crate) struct Given<T> {
    pub(crate) option: Ident,
    pub(crate) value: T,
}

/// Options that stand in one kind of place.
pub(crate) trait Options: Default + 'static {
    /// What they stand on.
    const LEVEL: &str;
    /// The options of the other kind of place.
    type Elsewhere: Options;
    const KNOWN: &[Known<Self>];
}

/// An option that there is.
pub(crate) struct Known<A> {
    name: &'static str,
    /// The option as one writes it, for messages.
    usage: &'static str,
    read: fn(&mut A, Written<'_>) -> syn::Result<()>,
}

/// Reads the options in `attrs`; each mistake costs its option alone.
pub(crate) fn read<A: Options>(attrs: &[Attribute], errors: &mut Errors) -> A {
    let mut options = A::default();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("session")) {
        for (name, value) in split(attr, errors) {
            if let Err(error) = read_one(&mut options, &name, &value) {
                errors.push(error);
            }
        }
    }
    options
}

fn read_one<A: Options>(options: &mut A, name: &Ident, value: &Value) -> syn::Result<()> {
    let word = name.unraw().to_string();
    let Some(known) = A::KNOWN.iter().find(|known| known.name == word) else {
        return Err(syn::Error::new_spanned(name, unknown::<A>(&word)));
    };
    let written = Written {
        name,
        value,
        usage: known.usage,
    };
    (known.read)(options, written)
}

fn unknown<A: Options>(word: &str) -> String {
    let (level, elsewhere) = (A::LEVEL, A::Elsewhere::LEVEL);
    let mut others = A::Elsewhere::KNOWN.iter();
    if others.any(|known| known.name == word) {
        return format!("`{word}` is a {elsewhere} option, not a {level} option");
    }
    let names: Vec<_> = A::KNOWN.iter().map(|known| known.name).collect();
    let hint = hint(word, &names);
    format!("unknown {level} option `{word}`{hint}")
}

/// Keeps an option that can be given once.
fn set<T>(slot: &mut Option<Given<T>>, given: Given<T>) -> syn::Result<()> {
    if slot.is_some() {
        let message = format!("`{}` is given twice: keep one of them", given.option);
        return Err(syn::Error::new_spanned(given.option, message));
    }
    *slot = Some(given);
    Ok(())
}

/// An option as it stands in the source, its value not read yet.
struct Written<'a> {
    name: &'a Ident,
    value: &'a Value,
    usage: &'static str,
}

impl Written<'_> {
    /// Reads an option that has no value.
    fn alone(&self) -> syn::Result<Given<()>> {
        let message = format!("`{}` takes no value", self.name);
        match self.value {
            Value::Nothing => Ok(self.given(())),
            Value::Assigned(tokens) => Err(syn::Error::new_spanned(tokens, message)),
            Value::Enclosed(group) => Err(syn::Error::new_spanned(group, message)),
        }
    }

    /// Reads an option whose value is of this kind.
    fn value<T: Parse>(&self, kind: &str) -> syn::Result<Given<T>> {
        let Self { name, value, usage } = self;
        match value {
            Value::Nothing => {
                let message = format!("`{name}` needs a value: `{usage}`");
                Err(syn::Error::new_spanned(name, message))
            }
            Value::Enclosed(group) => {
                let message = format!("the value of `{name}` stands after `=`: `{usage}`");
                Err(syn::Error::new_spanned(group, message))
            }
            Value::Assigned(tokens) => {
                let message = format!("`{name}` takes {kind}: `{usage}`");
                let value = syn::parse2(tokens.clone());
                let value = value.map_err(|_| syn::Error::new_spanned(tokens, message))?;
                Ok(self.given(value))
            }
        }
    }

    /// Reads an option whose value is the word for a case.
    fn case(&self) -> syn::Result<Given<Case>> {
        let word: LitStr = self.value("a string")?.value;
        let Some(case) = Case::named(&word.value()) else {
            let hint = hint(&word.value(), &Case::words());
            let message = format!("unknown case `{}`{hint}", word.value());
            return Err(syn::Error::new_spanned(word, message));
        };
        Ok(self.given(case))
    }

    fn given<T>(&self, value: T) -> Given<T> {
        Given {
            option: self.name.clone(),
            value,
        }
    }
}
