//! The FROM clause of a view whose rows are the rows of its first relation.
//!
//! In: the schema. Out: a FROM clause with joins of every kind that keeps the first relation's key the key of the whole.

use crate::relation::{Body, computed};
use crate::schema::Ty;
use crate::scope::{Col, Gen, Link, Rel};
use crate::shapes::Shape;

/// A FROM clause under way.
pub struct From {
    /// Definitions of WITH.
    pub with: Vec<String>,
    pub from: String,
    /// The first one holds the key.
    pub rels: Vec<Rel>,
    pub conditions: Vec<String>,
    /// Expressions with their names and columns.
    pub key: Vec<(String, Col)>,
    /// Relations after a comma, which no JOIN before it can see.
    late: Vec<String>,
}

impl From {
    pub fn of(from: String, rel: Rel) -> From {
        let key = rel.key.iter().map(|at| (rel.col(*at), rel.cols[*at].clone())).collect();
        From { with: Vec::new(), from, rels: vec![rel], conditions: Vec::new(), key, late: Vec::new() }
    }

    pub fn text(&self) -> String {
        let late: String = self.late.iter().map(|item| format!(",\n       {item}")).collect();
        format!("{}{late}", self.from)
    }

    fn join(&mut self, how: &str, item: &str, condition: &str, rel: Rel) {
        self.from = format!("{}\n  {how} {item} {condition}", self.from);
        self.rels.push(rel);
    }
}

impl Gen<'_> {
    /// A first relation and up to four more.
    pub fn from(&mut self) -> From {
        let mut from = self.first();
        let joins = [
            Shape::UsingJoin,
            Shape::SelfJoin,
            Shape::InnerJoin,
            Shape::LeftJoin,
            Shape::RightJoin,
            Shape::DerivedTable,
            Shape::Cte,
            Shape::LateralJoin,
            Shape::ViewOnView,
            Shape::Unnest,
            Shape::ElementLink,
            Shape::ExistsBehind,
            Shape::Guard,
            Shape::CommaJoin,
        ];
        for shape in joins {
            if from.rels.len() < 5 && self.wants(shape) {
                self.joined(shape, &mut from);
            }
        }
        if self.dice.percent(20) {
            let condition = self.condition(&from.rels, 2);
            from.conditions.push(condition);
        }
        from
    }

    fn first(&mut self) -> From {
        if self.wants(Shape::ViewOnView)
            && let Some((from, rel)) = self.earlier_view()
        {
            return From::of(from, rel);
        }
        if self.focus == Shape::WindowBelow && self.dice.percent(40) && self.menu.has(Shape::WindowBelow) {
            let (item, rel, conditions) = self.ranked_first();
            return From { conditions, ..From::of(item, rel) };
        }
        if self.focus == Shape::SomeRows
            && self.dice.percent(50)
            && let Some((item, rel, conditions)) = self.some_rows()
        {
            self.note(Shape::SomeRows);
            return From { conditions, ..From::of(item, rel) };
        }
        let queries =
            [Shape::Union, Shape::UnionAll, Shape::Except, Shape::Intersect, Shape::DistinctOn, Shape::SomeRows];
        let combined = queries.contains(&self.focus) || self.dice.percent(4);
        if combined || self.dice.percent(50) && self.wants(Shape::DerivedTable) {
            let body = self.body();
            return self.query_first(&body);
        }
        let table = self.any_table();
        let (from, rel) = self.base(table);
        From::of(from, rel)
    }

    /// A query as the first relation, in FROM or in WITH.
    fn query_first(&mut self, body: &Body) -> From {
        let alias = self.alias("query");
        let rel = body.named(alias.clone());
        if self.wants(Shape::Cte) {
            let mut from = From::of(alias.clone(), rel);
            from.with.push(format!("{alias} AS (\n    {}\n)", body.sql));
            return from;
        }
        self.note(Shape::DerivedTable);
        From::of(format!("(\n    {}\n) {alias}", body.sql), rel)
    }

    fn joined(&mut self, shape: Shape, from: &mut From) {
        match shape {
            Shape::DerivedTable | Shape::Cte => self.query_joined(shape, from),
            Shape::LateralJoin => self.lateral_joined(from),
            Shape::ViewOnView => self.view_joined(from),
            Shape::Unnest => self.elements_joined(from),
            Shape::ElementLink => self.element_linked(from),
            Shape::ExistsBehind => self.filtered_joined(from),
            Shape::Guard => self.guarded_joined(from),
            _ => self.table_joined(shape, from),
        }
    }

    /// A row that each row has at most one of.
    fn table_joined(&mut self, shape: Shape, from: &mut From) {
        let found = if shape == Shape::SelfJoin {
            from.rels[0].base.and_then(|table| {
                let (item, rel) = self.base(table);
                let link = self.link(&rel, &from.rels, true)?;
                Some((item, rel, link))
            })
        } else {
            self.linked(&from.rels, true)
        };
        let Some((item, rel, link)) = found else { return };
        let using = self.using(&link, from, &rel);
        let on = format!("ON {}", link.condition);
        match shape {
            Shape::CommaJoin => {
                from.late.push(item);
                from.conditions.push(link.condition);
                from.rels.push(rel);
            }
            Shape::RightJoin => {
                let old = if from.rels.len() == 1 { from.from.clone() } else { format!("({})", from.from) };
                from.from = format!("{item}\n  RIGHT JOIN {old} {on}");
                from.rels.push(rel.made_nullable());
            }
            Shape::UsingJoin if using.is_some() => {
                let how = self.word(&["JOIN", "LEFT JOIN"]);
                let rel = if how == "JOIN" { rel } else { rel.made_nullable() };
                from.join(how, &item, &using.unwrap_or_default(), rel);
            }
            Shape::InnerJoin => from.join("JOIN", &item, &on, rel),
            _ => {
                let extra = self.behind(&rel);
                from.join("LEFT JOIN", &item, &format!("{on}{extra}"), rel.made_nullable());
            }
        }
    }

    /// What an outer join may ask of its nullable side beside the link.
    fn behind(&mut self, rel: &Rel) -> String {
        let rels = std::slice::from_ref(rel);
        let shape = if self.dice.percent(50) { Shape::Exists } else { Shape::NotExists };
        if self.wants(Shape::ExistsBehind)
            && let Some(condition) = self.subquery_condition(shape, rels, 0)
        {
            return format!(" AND {condition}");
        }
        if self.dice.percent(20) { format!(" AND {}", self.test(rels)) } else { String::new() }
    }

    /// `USING (…)`, where the name stands for one column on each side.
    fn using(&self, link: &Link, from: &From, rel: &Rel) -> Option<String> {
        let name = link.using.as_ref()?;
        let holders = from.rels.iter().filter(|rel| rel.cols.iter().any(|col| col.name == *name)).count();
        let own = rel.cols.iter().filter(|col| col.name == *name).count();
        (holders == 1 && own == 1).then(|| format!("USING ({name})"))
    }

    /// A grouped or otherwise made query, joined by its key.
    fn query_joined(&mut self, shape: Shape, from: &mut From) {
        for _ in 0..4 {
            let body = self.body();
            let alias = self.alias(if shape == Shape::Cte { "with" } else { "query" });
            let rel = body.named(alias.clone());
            let Some(link) = self.link(&rel, &from.rels, true) else { continue };
            let how = self.word(&["LEFT JOIN", "LEFT JOIN", "JOIN"]);
            let joined = if how == "JOIN" { rel } else { rel.made_nullable() };
            let on = format!("ON {}", link.condition);
            if shape == Shape::DerivedTable {
                from.join(how, &format!("(\n    {}\n  ) {alias}", body.sql), &on, joined);
                return;
            }
            from.with.push(format!("{alias} AS (\n    {}\n)", body.sql));
            from.join(how, &alias, &on, joined);
            if self.wants(Shape::CteTwice) {
                let second = self.alias("again");
                let rel = body.named(second.clone());
                if let Some(link) = self.link(&rel, &from.rels[..1], true) {
                    let on = format!("ON {}", link.condition);
                    from.join("LEFT JOIN", &format!("{alias} {second}"), &on, rel.made_nullable());
                }
            }
            return;
        }
    }

    /// A table of which an outer join takes rows that have, or have not, others that refer to them.
    fn filtered_joined(&mut self, from: &mut From) {
        let Some((item, rel, link)) = self.linked(&from.rels, true) else { return };
        let shape = if self.dice.percent(50) { Shape::Exists } else { Shape::NotExists };
        let Some(filter) = self.subquery_condition(shape, std::slice::from_ref(&rel), 0) else { return };
        if self.dice.percent(50) {
            let (item, rel, on) = self.wrapped(&item, rel, Vec::new(), &[filter], &link.condition);
            from.join("LEFT JOIN", &item, &format!("ON {on}"), rel.made_nullable());
        } else {
            from.join("LEFT JOIN", &item, &format!("ON {} AND {filter}", link.condition), rel.made_nullable());
        }
    }

    /// A row whose number a text spells, where WHERE says that it spells one.
    fn guarded_joined(&mut self, from: &mut From) {
        // Of a constant the cast would be computed when the query is planned.
        let shown = from.rels[0].cols.iter().enumerate().filter(|(_, col)| col.ty == Ty::Text && col.origin.is_some());
        let texts: Vec<String> = shown.map(|(at, _)| from.rels[0].col(at)).collect();
        let Some(text) = self.pick(&texts) else { return };
        let numbered = |table: &usize| self.key_type(*table) == Ty::Int;
        let tables: Vec<usize> = (0..self.schema.tables.len()).filter(numbered).collect();
        let Some(table) = self.pick(&tables) else { return };
        let (item, rel) = self.base(table);
        from.conditions.push(format!("{text} ~ '^[0-9]{{1,6}}$'"));
        let how = self.word(&["JOIN", "LEFT JOIN"]);
        let on = format!("ON {} = {text}::int", rel.keys()[0]);
        from.join(how, &item, &on, if how == "JOIN" { rel } else { rel.made_nullable() });
    }

    fn view_joined(&mut self, from: &mut From) {
        let Some((item, rel)) = self.earlier_view() else { return };
        if let Some(link) = self.link(&rel, &from.rels, true) {
            from.join("LEFT JOIN", &item, &format!("ON {}", link.condition), rel.made_nullable());
        }
    }

    /// LATERAL: an aggregate of linked rows, or the first of them.
    fn lateral_joined(&mut self, from: &mut From) {
        let Some(inner) = self.inner(&from.rels, 1) else { return };
        let alias = self.alias("lateral");
        let rel = |cols: Vec<Col>| Rel { alias: alias.clone(), cols, key: Vec::new(), whole: true, base: None };
        if self.wants(Shape::LateralLimit) {
            let (text, number, order) = (self.text(&inner.rels), self.number(&inner.rels), self.order(&inner.rels));
            let item = format!(
                "LATERAL (\n    SELECT {text} AS label, ({number})::numeric AS amount {}\n    ORDER BY {order} LIMIT 1\n  ) {alias}",
                inner.text()
            );
            let how = self.word(&["LEFT JOIN", "LEFT JOIN", "JOIN"]);
            from.join(how, &item, "ON true", rel(vec![computed("label", Ty::Text), computed("amount", Ty::Numeric)]));
            return;
        }
        let (one, list) =
            (self.plain_aggregate(&inner.rels), self.aggregate(Shape::JsonbAgg, &from.rels, &inner.rels, 1));
        let item = format!(
            "LATERAL (\n    SELECT count(*) AS n, {one} AS value, {list} AS list {}\n  ) {alias}",
            inner.text()
        );
        from.join("CROSS JOIN", &item, "", rel(vec![computed("n", Ty::Big), computed("list", Ty::Jsonb)]));
        from.from.truncate(from.from.trim_end().len());
    }

    /// The elements of an array: each row once per element, so that the place belongs to the key.
    fn elements_joined(&mut self, from: &mut From) {
        if !self.dice.percent(30) {
            return;
        }
        let shape = if self.dice.percent(60) { Shape::Unnest } else { Shape::JsonElements };
        if let Some((item, rel)) = self.element_item(shape, &from.rels[..1]) {
            from.key.push((rel.col(1), rel.cols[1].clone()));
            from.join("CROSS JOIN", &item, "", rel);
            from.from.truncate(from.from.trim_end().len());
        }
    }

    /// Elements of an array, each with the row that it names.
    fn element_linked(&mut self, from: &mut From) {
        let Some((item, element)) = self.element_item(Shape::Unnest, &from.rels[..1]) else { return };
        let ty = element.cols[0].ty;
        let tables: Vec<usize> = (0..self.schema.tables.len()).filter(|table| self.key_type(*table) == ty).collect();
        let Some(table) = self.pick(&tables) else { return };
        let (other, rel) = self.base(table);
        let on = format!("ON {} = {}", rel.keys()[0], element.col(0));
        from.key.push((element.col(1), element.cols[1].clone()));
        from.join("CROSS JOIN", &item, "", element);
        from.from.truncate(from.from.trim_end().len());
        let how = self.word(&["JOIN", "LEFT JOIN"]);
        from.join(how, &other, &on, if how == "JOIN" { rel } else { rel.made_nullable() });
    }

    /// What stands in FROM for the elements of a column, each with its place.
    pub fn element_item(&mut self, shape: Shape, rels: &[Rel]) -> Option<(String, Rel)> {
        let (function, name) = self.elements(shape, rels)?;
        let alias = self.alias("element");
        let ty = match () {
            () if function.contains("numbers") => Ty::Int,
            () if function.starts_with("jsonb_array_elements(") => Ty::Jsonb,
            () => Ty::Text,
        };
        let at = Col { nullable: false, ..computed("at", Ty::Big) };
        let item = format!("{function} WITH ORDINALITY AS {alias} ({name}, at)");
        Some((item, Rel { alias, cols: vec![computed(name, ty), at], key: vec![1], whole: false, base: None }))
    }
}
