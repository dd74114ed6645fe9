//! Links by values: what two relations can be compared by where no reference leads from one to the other.
//!
//! In: the columns of both. Out: every condition that their types allow: equal values, also those that look different, expressions
//! over them, fields, elements and arrays that hold them, and ranges. None of them raises an error, whatever the columns hold.

use crate::schema::Ty;
use crate::scope::{Col, Gen, Link, Rel};
use crate::shapes::Shape;

/// A column of the inner relation beside one of an outer relation.
struct Pair<'p> {
    inner: (String, &'p Col),
    outer: (String, &'p Col),
    /// Whether the inner column tells its rows apart.
    unique: bool,
}

impl Gen<'_> {
    /// All links by values between two relations.
    pub fn values(&self, inner: &Rel, outer: &Rel, links: &mut Vec<Link>) {
        for (i, a) in inner.cols.iter().enumerate() {
            let unique = self.is_key(inner, vec![i]);
            for (o, b) in outer.cols.iter().enumerate() {
                let pair = Pair { inner: (inner.col(i), a), outer: (outer.col(o), b), unique };
                pair.equal(links);
                pair.converted(links);
                pair.contained(links);
                pair.guarded(links);
            }
        }
    }
}

impl Pair<'_> {
    fn types(&self) -> (Ty, Ty) {
        (self.inner.1.ty, self.outer.1.ty)
    }

    fn add(&self, links: &mut Vec<Link>, shape: Shape, unique: bool, condition: String) {
        links.push(Link { condition, using: None, unique: unique && self.unique, shapes: vec![shape], weight: 4 });
    }

    /// `=` of the columns as they are.
    fn equal(&self, links: &mut Vec<Link>) {
        let ((left, a), (right, b)) = (&self.inner, &self.outer);
        let shape = match self.types() {
            (Ty::Bool, _) => return,
            (one, two) if one == two && one.is_named() => Shape::DomainEnum,
            (Ty::Level, Ty::Int | Ty::Big) | (Ty::Int | Ty::Big, Ty::Level) => Shape::DomainEnum,
            (one, two) if one.compares_with(two) => Shape::ValueJoin,
            (Ty::Nocase, Ty::Nocase | Ty::Text) | (Ty::Text, Ty::Nocase) => Shape::Nocase,
            (one, two) if one.resembles(two) => Shape::Lookalikes,
            _ => return,
        };
        let using = (a.name == b.name && a.ty == b.ty).then(|| a.name.clone());
        let condition = format!("{left} = {right}");
        links.push(Link { condition, using, unique: self.unique, shapes: vec![shape], weight: 4 });
        if shape != Shape::DomainEnum {
            let shape = if shape == Shape::ValueJoin { Shape::NullSafeJoin } else { shape };
            self.add(links, shape, false, format!("{left} IS NOT DISTINCT FROM {right}"));
        }
    }

    /// `=` of what is computed of them.
    fn converted(&self, links: &mut Vec<Link>) {
        let ((left, _), (right, _)) = (&self.inner, &self.outer);
        match self.types() {
            (Ty::Text, Ty::Text) => {
                self.add(links, Shape::ExpressionJoin, false, format!("lower({left}) = lower({right})"));
                self.add(links, Shape::ExpressionJoin, true, format!("{left} = coalesce({right}, 'none')"));
            }
            (Ty::Nocase, Ty::Nocase | Ty::Text) => {
                self.add(links, Shape::Nocase, false, format!("upper({left}) = upper({right})"));
            }
            (Ty::Int, Ty::Int | Ty::Big) => {
                self.add(links, Shape::ExpressionJoin, false, format!("{left}::numeric = {right}::numeric + 1"));
                self.add(links, Shape::RangeJoin, false, format!("{left} > {right}"));
            }
            (Ty::Int | Ty::Big | Ty::Uuid, Ty::Text) => {
                self.add(links, Shape::TextLink, true, format!("{left}::text = {right}"));
            }
            (Ty::Text, Ty::Int | Ty::Big | Ty::Uuid) => {
                self.add(links, Shape::TextLink, true, format!("{left} = {right}::text"));
            }
            (Ty::Date, Ty::Stamp) => {
                self.add(
                    links,
                    Shape::AtTimeZone,
                    true,
                    format!("{left} = ({right} AT TIME ZONE 'Asia/Kolkata')::date"),
                );
            }
            (Ty::Stamp, Ty::Date) => {
                let local = format!("({left} AT TIME ZONE 'America/New_York')::date");
                self.add(links, Shape::AtTimeZone, false, format!("{local} = {right}"));
            }
            (Ty::Stamp, Ty::Stamp) => {
                let local = |column: &str| format!("date_trunc('day', {column} AT TIME ZONE 'Europe/Berlin')");
                self.add(links, Shape::AtTimeZone, false, format!("{} = {}", local(left), local(right)));
            }
            _ => {}
        }
    }

    /// Elements of arrays and fields of composite values.
    fn contained(&self, links: &mut Vec<Link>) {
        let ((left, _), (right, _)) = (&self.inner, &self.outer);
        let field = |column: &str, name: &str| format!("({column}).{name}");
        match self.types() {
            (Ty::Text, Ty::Words) | (Ty::Int, Ty::Numbers) => {
                self.add(links, Shape::AnyArray, false, format!("{left} = ANY({right})"));
                self.add(links, Shape::ArrayKey, true, format!("{left} = {right}[1]"));
            }
            (Ty::Words, Ty::Text) | (Ty::Numbers, Ty::Int) => {
                self.add(links, Shape::AnyArray, false, format!("{right} = ANY({left})"));
                self.add(links, Shape::ArrayKey, false, format!("{left}[1] = {right}"));
            }
            (Ty::Numbers, Ty::Numbers) | (Ty::Words, Ty::Words) => {
                self.add(links, Shape::ArrayKey, false, format!("{left} = {right}"));
                self.add(links, Shape::ArrayKey, false, format!("cardinality({left}) = cardinality({right})"));
            }
            (Ty::Text, Ty::Spot) => {
                self.add(links, Shape::CompositeField, true, format!("{left} = {}", field(right, "city")));
            }
            (Ty::Spot, Ty::Text) => {
                self.add(links, Shape::CompositeField, false, format!("{} = {right}", field(left, "city")));
            }
            (Ty::Int, Ty::Spot) => {
                self.add(links, Shape::CompositeField, true, format!("{left} = {}", field(right, "zone")));
            }
            (Ty::Spot, Ty::Int) => {
                self.add(links, Shape::CompositeField, false, format!("{} = {right}", field(left, "zone")));
            }
            (Ty::Spot, Ty::Spot) => {
                let both = format!("{} = {}", field(left, "zone"), field(right, "zone"));
                self.add(links, Shape::CompositeField, false, both);
            }
            _ => {}
        }
    }

    /// Casts and divisions that only CASE keeps from failing.
    fn guarded(&self, links: &mut Vec<Link>) {
        let ((left, _), (right, _)) = (&self.inner, &self.outer);
        match self.types() {
            (Ty::Int | Ty::Big, Ty::Text) => {
                self.add(links, Shape::Guard, true, format!("{left} = {}", number_of_text(right)));
            }
            (Ty::Text, Ty::Int | Ty::Big) => {
                self.add(links, Shape::Guard, false, format!("{} = {right}", number_of_text(left)));
            }
            (Ty::Int, Ty::Jsonb) => {
                self.add(
                    links,
                    Shape::Guard,
                    true,
                    format!("{left} = {}", number_of_text(&format!("({right} ->> 'a')"))),
                );
            }
            (Ty::Int, Ty::Int) => {
                self.add(links, Shape::Guard, true, format!("{left} = CASE WHEN {right} <> 0 THEN 12 / {right} END"));
            }
            _ => {}
        }
    }
}

/// The number that a text spells, NULL where it spells none.
pub fn number_of_text(text: &str) -> String {
    format!("CASE WHEN {text} ~ '^[0-9]{{1,6}}$' THEN {text}::int END")
}
