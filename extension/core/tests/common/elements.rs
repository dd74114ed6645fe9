//! Changes of elements and of values at paths on a plain tree, in the most direct way.
//!
//! In: a tree and the changes. Out: the tree after them, or nothing where the functions do not tell. Always: one change
//! after the other, each on the whole array.

use proptest::prelude::*;

use super::generate::scalar;
use super::json::{Json, key};
use super::model::{get, position};

/// An element that changes, as `jsonb_core::ElementChange`.
#[derive(Debug, Clone)]
pub struct ElementJson {
    pub matched: Option<Json>,
    pub element: Option<Json>,
    /// NULL is taken for true.
    pub moves: Option<bool>,
    pub preceding: Option<Json>,
    pub following: Option<Json>,
}

/// The array at `path` after the changes.
pub fn change_elements(
    document: &Json,
    path: &[String],
    k: &str,
    changes: &[ElementJson],
    sorted: bool,
) -> Option<Json> {
    let Some(Json::Arr(list)) = get(document, path) else {
        return None;
    };
    let mut list = list.clone();
    for change in changes {
        let here = change.matched.as_ref().and_then(|matched| position(&list, k, matched));
        let Some(element) = &change.element else {
            if let Some(here) = here {
                list.remove(here);
                if list.is_empty() {
                    return None;
                }
            }
            continue;
        };
        if change.moves == Some(false) || !sorted {
            match here {
                Some(here) => list[here] = element.clone(),
                None if change.moves == Some(false) => {}
                None => list.push(element.clone()),
            }
            continue;
        }
        let key_at = |list: &[Json], at: Option<usize>| match list.get(at?) {
            Some(Json::Obj(pairs)) => pairs.get(&key(k)).cloned(),
            _ => None,
        };
        if let Some(here) = here {
            let stands = same(&key_at(&list, Some(here + 1)), &change.following)
                && same(&key_at(&list, here.checked_sub(1)), &change.preceding);
            list.remove(here);
            if stands {
                list.insert(here, element.clone());
                continue;
            }
        }
        let place = match &change.preceding {
            None => 0,
            Some(_) if same(&key_at(&list, list.len().checked_sub(1)), &change.preceding) => list.len(),
            Some(preceding) => position(&list, k, preceding)? + 1,
        };
        if !same(&key_at(&list, Some(place)), &change.following) {
            return None;
        }
        list.insert(place, element.clone());
    }
    let mut result = document.clone();
    *at(&mut result, path)? = Json::Arr(list);
    Some(result)
}

fn same(a: &Option<Json>, b: &Option<Json>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.same_value(b),
        (None, None) => true,
        _ => false,
    }
}

fn at<'j>(json: &'j mut Json, path: &[String]) -> Option<&'j mut Json> {
    let Some((element, rest)) = path.split_first() else {
        return Some(json);
    };
    match json {
        Json::Obj(pairs) => at(pairs.get_mut(&key(element))?, rest),
        Json::Arr(elements) => {
            let index = super::model::index(element, elements.len())??;
            at(&mut elements[index], rest)
        }
        _ => None,
    }
}

/// What changes of elements are made of before they are fitted to an array.
#[derive(Debug, Clone)]
pub struct ElementSeed {
    pick: u16,
    kind: u8,
    element: Json,
    moves: Option<bool>,
    stray: Json,
}

pub fn element_seed() -> impl Strategy<Value = ElementSeed> {
    let element = prop_oneof![
        6 => (0u8..9, scalar()).prop_map(|(id, note)| Json::object([
            ("id".to_owned(), Json::Num(id.to_string())),
            ("note".to_owned(), note),
        ])),
        1 => scalar(),
    ];
    let moves = prop_oneof![5 => Just(Some(true)), 3 => Just(Some(false)), 1 => Just(None)];
    let stray = prop_oneof![3 => (0u8..9).prop_map(|n| Json::Num(format!("{n}.0"))), 1 => scalar()];
    (any::<u16>(), any::<u8>(), element, moves, stray).prop_map(|(pick, kind, element, moves, stray)| ElementSeed {
        pick,
        kind,
        element,
        moves,
        stray,
    })
}

impl ElementSeed {
    /// A change that mostly fits the array: neighbours that do stand side by side, with or without the element itself.
    pub fn fit(&self, list: &[Json], k: &str) -> ElementJson {
        let id = |element: &Json| match element {
            Json::Obj(pairs) => pairs.get(&key(k)).cloned(),
            _ => None,
        };
        let chosen = list.get(usize::from(self.pick) % list.len().max(1)).and_then(id);
        let matched = match self.kind % 8 {
            0..4 => chosen.or_else(|| id(&self.element)),
            4 | 5 => id(&self.element),
            6 => Some(self.stray.clone()),
            _ => None,
        };
        let rest: Vec<&Json> = match matched.as_ref().and_then(|matched| position(list, k, matched)) {
            // With the element in its place its neighbours are those that it has.
            Some(here) if self.kind < 200 => {
                list.iter().enumerate().filter(|(at, _)| *at != here).map(|e| e.1).collect()
            }
            _ => list.iter().collect(),
        };
        let place = usize::from(self.pick / 7) % (rest.len() + 1);
        let neighbour = |at: Option<usize>| at.and_then(|at| rest.get(at)).and_then(|element| id(element));
        let (mut preceding, following) = (neighbour(place.checked_sub(1)), neighbour(Some(place)));
        if self.kind % 16 == 15 {
            preceding = Some(self.stray.clone());
        }
        let element = (self.kind % 5 != 4).then(|| self.element.clone());
        ElementJson { matched, element, moves: self.moves, preceding, following }
    }
}
