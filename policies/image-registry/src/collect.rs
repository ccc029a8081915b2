//! What the policy looks at, collected in one pass over the input. The kind of the object does not matter: wherever a
//! pod template may lie, in our own kinds and in others that follow the same shape, its images are found.

use crate::json::{Kind, Reader, Reading};
use crate::settings::Settings;
use crate::text::Text;
use alloc::vec::Vec;

pub struct Facts<'a> {
    pub operation: Text<'a>,
    pub object: Subject,
    pub images: Vec<Image<'a>>,
    /// `spec.version`, which is an image in a StellarNode.
    pub version: Option<Text<'a>>,
    /// `spec.resources.limits.memory`
    pub memory_limit: Option<Text<'a>>,
    pub settings: Settings<'a>,
}

#[derive(PartialEq, Eq)]
pub enum Subject {
    Missing,
    NotAnObject,
    Object,
}

pub struct Image<'a> {
    pub field: Field,
    pub name: Text<'a>,
}

/// `<pod>.<list>[<index>].<leaf>`, for example `spec.containers[0].image`.
#[derive(Clone, Copy)]
pub struct Field {
    pub pod: &'static str,
    pub list: &'static str,
    pub index: u32,
    pub leaf: &'static str,
}

pub fn collect<'a>(reader: &mut Reader<'a>) -> Reading<Facts<'a>> {
    let mut collector =
        Collector { subject: Subject::Missing, images: Vec::new(), version: None, memory_limit: None };
    let mut operation = None;
    let mut settings = None;
    let mut has_object = false;
    reader.object(|reader, key| match &*key.decode() {
        b"operation" if operation.is_some() => twice(reader),
        b"operation" => {
            operation = Some(reader.string()?);
            Ok(())
        }
        b"object" => {
            once(&mut has_object, reader)?;
            collector.object(reader)
        }
        b"pluginConfig" if settings.is_some() => twice(reader),
        b"pluginConfig" => {
            settings = Some(Settings::read(reader)?);
            Ok(())
        }
        _ => reader.skip(),
    })?;
    reader.end()?;
    let Some(operation) = operation else {
        return reader.fail(&"missing field `operation`");
    };
    let Collector { subject, images, version, memory_limit } = collector;
    let settings = settings.unwrap_or_default();
    Ok(Facts { operation, object: subject, images, version, memory_limit, settings })
}

struct Collector<'a> {
    subject: Subject,
    images: Vec<Image<'a>>,
    version: Option<Text<'a>>,
    memory_limit: Option<Text<'a>>,
}

impl<'a> Collector<'a> {
    fn object(&mut self, reader: &mut Reader<'a>) -> Reading<()> {
        match reader.kind() {
            Kind::Object => self.subject = Subject::Object,
            Kind::Null => return reader.skip(),
            _ => {
                self.subject = Subject::NotAnObject;
                return reader.skip();
            }
        }
        let (mut has_spec, mut has_template) = (false, false);
        reader.object(|reader, key| match &*key.decode() {
            b"spec" => {
                once(&mut has_spec, reader)?;
                self.spec(reader)
            }
            b"template" => {
                once(&mut has_template, reader)?;
                self.template(reader, "template.spec")
            }
            _ => reader.skip(),
        })
    }

    fn spec(&mut self, reader: &mut Reader<'a>) -> Reading<()> {
        let (mut has_template, mut has_job, mut has_version, mut has_resources) =
            (false, false, false, false);
        let mut lists = SeenLists::default();
        object_or_skip(reader, |reader, key| match &*key.decode() {
            b"template" => {
                once(&mut has_template, reader)?;
                self.template(reader, "spec.template.spec")
            }
            b"jobTemplate" => {
                once(&mut has_job, reader)?;
                self.job_template(reader)
            }
            b"version" => {
                once(&mut has_version, reader)?;
                self.version = string_or_skip(reader)?;
                Ok(())
            }
            b"resources" => {
                once(&mut has_resources, reader)?;
                self.resources(reader)
            }
            key => self.pod_list(reader, key, "spec", &mut lists),
        })
    }

    fn job_template(&mut self, reader: &mut Reader<'a>) -> Reading<()> {
        let (mut has_spec, mut has_template) = (false, false);
        object_or_skip(reader, |reader, key| match &*key.decode() {
            b"spec" => {
                once(&mut has_spec, reader)?;
                object_or_skip(reader, |reader, key| match &*key.decode() {
                    b"template" => {
                        once(&mut has_template, reader)?;
                        self.template(reader, "spec.jobTemplate.spec.template.spec")
                    }
                    _ => reader.skip(),
                })
            }
            _ => reader.skip(),
        })
    }

    fn template(&mut self, reader: &mut Reader<'a>, pod: &'static str) -> Reading<()> {
        let mut has_spec = false;
        object_or_skip(reader, |reader, key| match &*key.decode() {
            b"spec" => {
                once(&mut has_spec, reader)?;
                let mut lists = SeenLists::default();
                object_or_skip(reader, |reader, key| self.pod_list(reader, &key.decode(), pod, &mut lists))
            }
            _ => reader.skip(),
        })
    }

    /// A member of a pod's spec.
    fn pod_list(
        &mut self,
        reader: &mut Reader<'a>,
        key: &[u8],
        pod: &'static str,
        seen: &mut SeenLists,
    ) -> Reading<()> {
        let (list, seen) = match key {
            b"containers" => ("containers", &mut seen.containers),
            b"initContainers" => ("initContainers", &mut seen.init_containers),
            b"ephemeralContainers" => ("ephemeralContainers", &mut seen.ephemeral_containers),
            b"volumes" => ("volumes", &mut seen.volumes),
            _ => return reader.skip(),
        };
        once(seen, reader)?;
        match reader.kind() {
            Kind::Array if list == "volumes" => reader.array(|reader, index| {
                self.volume(reader, Field { pod, list, index, leaf: "image.reference" })
            }),
            Kind::Array => reader.array(|reader, index| {
                self.image(reader, "image", Field { pod, list, index, leaf: "image" })
            }),
            Kind::Null => reader.skip(),
            _ => reader.fail(&"containers and volumes have to be lists"),
        }
    }

    /// A volume may be an image too: `{image: {reference}}`.
    fn volume(&mut self, reader: &mut Reader<'a>, field: Field) -> Reading<()> {
        let mut has_image = false;
        reader.object(|reader, key| {
            if !key.is("image") {
                return reader.skip();
            }
            once(&mut has_image, reader)?;
            if reader.kind() == Kind::Null { reader.skip() } else { self.image(reader, "reference", field) }
        })
    }

    /// An object with an image in its member `member`. No image, or an empty one, is for Kubernetes to judge.
    fn image(&mut self, reader: &mut Reader<'a>, member: &'static str, field: Field) -> Reading<()> {
        let mut has_member = false;
        reader.object(|reader, key| {
            if !key.is(member) {
                return reader.skip();
            }
            once(&mut has_member, reader)?;
            if reader.kind() == Kind::Null {
                return reader.skip();
            }
            let name = reader.string()?;
            if !name.is_empty() {
                self.images.push(Image { field, name });
            }
            Ok(())
        })
    }

    fn resources(&mut self, reader: &mut Reader<'a>) -> Reading<()> {
        let (mut has_limits, mut has_memory) = (false, false);
        object_or_skip(reader, |reader, key| {
            if !key.is("limits") {
                return reader.skip();
            }
            once(&mut has_limits, reader)?;
            object_or_skip(reader, |reader, key| {
                if !key.is("memory") {
                    return reader.skip();
                }
                once(&mut has_memory, reader)?;
                self.memory_limit = string_or_skip(reader)?;
                Ok(())
            })
        })
    }
}

#[derive(Default)]
struct SeenLists {
    containers: bool,
    init_containers: bool,
    ephemeral_containers: bool,
    volumes: bool,
}

/// Two readers may disagree on which of two equal keys counts; an image must not slip in between.
fn once(seen: &mut bool, reader: &Reader) -> Reading<()> {
    if *seen {
        return twice(reader);
    }
    *seen = true;
    Ok(())
}

fn twice(reader: &Reader) -> Reading<()> {
    reader.fail(&"the same key twice")
}

fn object_or_skip<'a>(
    reader: &mut Reader<'a>,
    member: impl FnMut(&mut Reader<'a>, Text<'a>) -> Reading<()>,
) -> Reading<()> {
    if reader.kind() == Kind::Object { reader.object(member) } else { reader.skip() }
}

fn string_or_skip<'a>(reader: &mut Reader<'a>) -> Reading<Option<Text<'a>>> {
    if reader.kind() == Kind::String {
        return reader.string().map(Some);
    }
    reader.skip().map(|()| None)
}
