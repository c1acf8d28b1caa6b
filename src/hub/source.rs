//! The files of a model: below an address of the site, in a repository of a Hub, in a folder of the visitor's disk, or
//! in a zip.

use super::archive::{Archive, Entry};
use super::blob_file::BlobFile;
use super::context::Context;
use super::download::Download;
use super::environment::{Blob, Environment};
use super::model_folder::{chosen_folder, model_folder};
use super::pin::Pin;
use super::repo::{Repo, endpoint};
use super::repository::Repository;
use super::services::Services;
use super::source_file::{BlobOf, SourceFile};
use crate::{Error, Result};
use std::rc::Rc;

/// Times that a model is read because a file changed while it was read.
pub const MOST_READINGS: usize = 3;

/// Where a model's files are.
pub struct Source<E: Environment>(Place<E>);

/// Bytes of a `config.json` that are read to find out whether it is a model's. A BERT's has less than a thousand.
const MOST_CONFIG: u64 = 1 << 20;

enum Place<E: Environment> {
    /// A folder of this site.
    Site(Rc<Context<E>>),
    /// A repository at one commit, and the folder of the model in it.
    Hub(Repository<E>, String),
    /// Files by their path, and the folder of the model among them.
    Folder(Vec<(String, BlobOf<E>)>, String),
    /// An archive, such as the page's own export, and the folder of the model in it.
    Zip(Archive<BlobOf<E>>, String),
}

impl<E: Environment> Source<E> {
    /// The files below an address of this site that ends in `/`.
    pub fn site(base: String, services: Services<E>) -> Self {
        Self(Place::Site(Rc::new(Context::site(base, services))))
    }

    /// A repository of the Hub, `owner/name` or `owner/name@revision`, and its pin; an empty `endpoint` is
    /// [`DEFAULT_ENDPOINT`](super::DEFAULT_ENDPOINT). Its files are stored where there is a disk. The model is in the
    /// topmost folder with a `config.json` whose text `is_model` accepts, as among the visitor's files.
    ///
    /// # Errors
    /// [`Error::Download`] when the name or the address cannot be used, there is no such repository or the Hub cannot
    /// be reached; [`Error::ModelFolder`] when two models are equally near to the top; [`Error::Stopped`].
    pub async fn hub(
        hub: &str,
        repo: &str,
        services: Services<E>,
        is_model: impl Fn(&str) -> bool,
    ) -> Result<(Self, Pin)> {
        let repo = Repo::parse(repo)?;
        let repository = Repository::open(endpoint(hub)?, repo, services).await?;
        let folder = match repository.model_folder(is_model).await {
            Ok(folder) => folder,
            Err(error) => {
                repository.failed(&error).await;
                return Err(error);
            }
        };
        let pin = repository.pin();
        Ok((Self(Place::Hub(repository, folder)), pin))
    }

    /// A single zip, or the files of a folder by their paths. The model is in `chosen`, or else in the topmost folder
    /// with a `config.json` whose text `is_model` accepts.
    ///
    /// # Errors
    /// [`Error::Download`] when there is no file, or the one that is there is no zip; [`Error::ModelFolder`] when two
    /// models are equally near to the top; [`Error::Config`] when there is no model in `chosen`.
    pub fn files(
        files: Vec<(String, BlobOf<E>)>,
        chosen: Option<&str>,
        is_model: impl Fn(&str) -> bool,
    ) -> Result<Self> {
        let accepts = |config: Option<Vec<u8>>| {
            config.is_some_and(|bytes| std::str::from_utf8(&bytes).is_ok_and(&is_model))
        };
        if let [(name, blob)] = files.as_slice()
            && name.to_lowercase().ends_with(".zip")
        {
            let archive = Archive::new(name, blob.clone())?;
            let config = |path: &str| accepts(archive.beginning(path, MOST_CONFIG));
            let folder = match chosen {
                Some(chosen) => chosen_folder(archive.paths(), chosen)?,
                None => model_folder(archive.paths(), config)?,
            };
            return Ok(Self(Place::Zip(archive, folder)));
        }
        if files.is_empty() {
            return Err(cannot_read("the folder", "there is no file in it."));
        }
        let paths: Vec<_> = files.iter().map(|(path, _)| path.clone()).collect();
        let config = |path: &str| {
            let (_, blob) = files.iter().find(|(found, _)| found == path)?;
            blob.read(0..blob.size().min(MOST_CONFIG)).ok()
        };
        let folder = match chosen {
            Some(chosen) => chosen_folder(&paths, chosen)?,
            None => model_folder(&paths, |path| accepts(config(path)))?,
        };
        Ok(Self(Place::Folder(files, folder)))
    }

    /// The name of the folder of a model among the visitor's files, where it has one.
    pub fn folder_name(&self) -> Option<&str> {
        match &self.0 {
            Place::Folder(_, folder) => folder.strip_suffix('/')?.rsplit('/').next(),
            Place::Site(_) | Place::Hub(..) | Place::Zip(..) => None,
        }
    }

    /// Opens the file of this name in the folder of the model.
    ///
    /// # Errors
    /// [`Error::Download`] when it is not there or cannot be read, [`Error::Stopped`].
    pub async fn open(&mut self, name: &str) -> Result<SourceFile<E>> {
        let file = self.open_if_there(name).await?;
        file.ok_or_else(|| self.missing(name))
    }

    /// Opens the file of this name; none where it is not there.
    ///
    /// # Errors
    /// [`Error::Download`] when it cannot be read, [`Error::Stopped`].
    pub async fn open_if_there(&mut self, name: &str) -> Result<Option<SourceFile<E>>> {
        match &mut self.0 {
            Place::Site(context) => {
                let file = Download::open(context.clone(), name).await?;
                Ok(file.map(SourceFile::from))
            }
            Place::Hub(repository, folder) => {
                repository.open_file(&format!("{folder}{name}")).await
            }
            Place::Folder(files, folder) => {
                let path = format!("{folder}{name}");
                let file = files.iter().find(|(found, _)| *found == path);
                let file = file.map(|(_, blob)| BlobFile::whole(name, blob.clone()));
                Ok(file.map(SourceFile::disk))
            }
            Place::Zip(archive, folder) => {
                let entry = archive.open(&format!("{folder}{name}"), name)?;
                Ok(entry.map(|entry| match entry {
                    Entry::Range(file) => SourceFile::disk(file),
                    Entry::Deflated(file) => SourceFile::deflated(file),
                }))
            }
        }
    }

    /// Reads the text file of this name; none where it is not there.
    ///
    /// # Errors
    /// As [`open_if_there`](Self::open_if_there), and those of [`SourceFile::text`].
    pub async fn text_if_there(&mut self, name: &str) -> Result<Option<String>> {
        match self.open_if_there(name).await? {
            Some(file) => file.text().await.map(Some),
            None => Ok(None),
        }
    }

    /// Whether there is a file of this name, without reading it where that is known.
    ///
    /// # Errors
    /// As [`open_if_there`](Self::open_if_there).
    pub async fn has(&mut self, name: &str) -> Result<bool> {
        if let Some(has) = self.pin().and_then(|pin| pin.has(name)) {
            return Ok(has);
        }
        Ok(self.open_if_there(name).await?.is_some())
    }

    /// The error for a file that is not there, although the model needs it.
    pub fn missing(&self, name: &str) -> Error {
        if let Place::Hub(repository, _) = &self.0 {
            repository.set_incomplete();
        }
        let problem = match &self.0 {
            Place::Site(context) => {
                let url = context.url(name);
                format!("the server answered 404. Is the file part of the model folder at {url}?")
            }
            Place::Hub(..) | Place::Folder(..) | Place::Zip(..) => {
                "it is not there. A model's folder holds config.json, tokenizer.json and model.safetensors."
                    .into()
            }
        };
        cannot_read(name, &problem)
    }

    /// The pin of a repository of the Hub as it is now.
    pub fn pin(&self) -> Option<Pin> {
        match &self.0 {
            Place::Hub(repository, _) => Some(repository.pin()),
            Place::Site(_) | Place::Folder(..) | Place::Zip(..) => None,
        }
    }

    /// Whether a file changed after parts of it were read, so that the model has to be read again. Asking clears it.
    pub fn take_changed(&self) -> bool {
        match &self.0 {
            Place::Hub(repository, _) => repository.take_changed(),
            Place::Site(context) => context.take_changed(),
            Place::Folder(..) | Place::Zip(..) => false,
        }
    }

    /// Notes that a model was built from it: a repository's files are then complete in the storage.
    pub async fn built(&self) {
        if let Place::Hub(repository, _) = &self.0 {
            repository.built().await;
        }
    }

    /// Builds a model with `read`, again from the start when a file has changed, at most [`MOST_READINGS`] times.
    ///
    /// # Errors
    /// Those of `read`.
    pub async fn build<T>(
        &mut self,
        mut read: impl AsyncFnMut(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let mut readings = 1;
        let model = loop {
            match read(self).await {
                Ok(model) => break model,
                Err(_) if self.take_changed() && readings < MOST_READINGS => readings += 1,
                Err(error) => {
                    if let Place::Hub(repository, _) = &self.0 {
                        repository.failed(&error).await;
                    }
                    return Err(error);
                }
            }
        };
        self.built().await;
        Ok(model)
    }
}

fn cannot_read(file: &str, problem: &str) -> Error {
    Error::Download {
        file: file.into(),
        problem: problem.into(),
    }
}
