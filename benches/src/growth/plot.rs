//! Draws curves as SVG. A page shows the picture inline, in light or dark: it brings its own ground.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::prelude::*;

const SIZE: (u32, u32) = (760, 350);
const KEY_HEIGHT: i32 = 26;
/// Of the key, in pixels: a letter's width on average.
const LETTER: i32 = 6;
const INK: RGBColor = RGBColor(60, 60, 60);
const RULE: RGBColor = RGBColor(225, 225, 225);

/// Told apart by those who see red and green alike, too (Okabe and Ito).
const COLOURS: [RGBColor; 5] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(110, 110, 110),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
];

/// One pair of axes; a picture has one or two, side by side.
pub struct Panel {
    pub title: &'static str,
    pub x: Axis,
    pub y: Axis,
    pub curves: Vec<Curve>,
}

#[derive(Clone, Copy)]
pub struct Axis {
    /// What it is, with its unit.
    pub name: &'static str,
    pub scale: Scale,
    pub label: fn(f64) -> String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// From nought.
    Linear,
    Log,
}

pub struct Curve {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// The picture, without a blank line in it.
#[must_use]
pub fn draw(panels: &[Panel]) -> String {
    let mut picture = String::new();
    let root = SVGBackend::with_string(&mut picture, SIZE).into_drawing_area();
    root.fill(&WHITE).expect("a string grows");
    let (top, below) = root.split_vertically(KEY_HEIGHT);
    if panels[0].curves.len() > 1 {
        draw_key(&panels[0].curves, &top).expect("a string grows");
    }
    let areas = below.split_evenly((1, panels.len()));
    for (panel, area) in panels.iter().zip(&areas) {
        panel.draw(area).expect("a string grows");
    }
    root.present().expect("a string grows");
    drop((areas, top, below, root));
    // Nothing is transparent; and a page may be narrower than the picture.
    let picture = picture.replace(" opacity=\"1\"", "").replace("\n\n", "\n");
    let picture = picture.replacen("<svg ", "<svg style=\"max-width:100%;height:auto\" ", 1);
    picture.trim().to_owned()
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Which colour is whose, in all panels alike.
fn draw_key(curves: &[Curve], area: &Area<'_>) -> Drawn {
    let (middle, mut from) = (KEY_HEIGHT / 2 + 2, 24);
    for (curve, colour) in curves.iter().zip(COLOURS) {
        let line = [(from, middle), (from + 18, middle)];
        area.draw(&PathElement::new(line, colour.stroke_width(2)))?;
        let name = (from + 24, middle - 6);
        area.draw(&Text::new(curve.name.as_str(), name, text(13.0)))?;
        from += 42 + LETTER * i32::try_from(curve.name.len())?;
    }
    Ok(())
}

fn text(pixels: f64) -> TextStyle<'static> {
    // What plotters calls a size is 1.24 of them.
    ("sans-serif", pixels * 1.24).into_font().color(&INK)
}

impl Panel {
    fn draw(&self, area: &Area<'_>) -> Drawn {
        let values = |pick: fn(&(f64, f64)) -> f64| {
            let points = self.curves.iter().flat_map(|curve| &curve.points);
            points.map(pick).collect::<Vec<_>>()
        };
        let across = self.x.scale.at(values(|point| point.0));
        let up = self.y.scale.around(&values(|point| point.1));
        let mut chart = ChartBuilder::on(area)
            .margin(10)
            .margin_right(34)
            .caption(self.title, text(14.0))
            .x_label_area_size(42)
            .y_label_area_size(62)
            .build_cartesian_2d(across, up)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(RULE)
            .light_line_style(TRANSPARENT)
            .axis_style(INK)
            .label_style(text(12.0))
            .axis_desc_style(text(12.0))
            .x_desc(self.x.name)
            .y_desc(self.y.name)
            .x_label_formatter(&|value| (self.x.label)(*value))
            .y_label_formatter(&|value| (self.y.label)(*value))
            .draw()?;
        for (curve, colour) in self.curves.iter().zip(COLOURS.iter().cycle()) {
            let points = &curve.points;
            let dots = points.iter().map(|at| Circle::new(*at, 3, colour.filled()));
            chart.draw_series(dots)?;
            chart.draw_series(LineSeries::new(points.clone(), colour.stroke_width(2)))?;
        }
        Ok(())
    }
}

/// An axis whose labels stand just where they are asked for.
struct Ticked {
    scale: Scale,
    ticks: Vec<f64>,
}

impl Scale {
    fn at(self, mut ticks: Vec<f64>) -> Ticked {
        ticks.sort_by(f64::total_cmp);
        ticks.dedup();
        Ticked { scale: self, ticks }
    }

    /// With round values up to above these.
    fn around(self, values: &[f64]) -> Ticked {
        let most = values.iter().copied().fold(0.0, f64::max) * 1.1;
        let least = values.iter().copied().fold(most, f64::min);
        let step = round_above(most / 6.0);
        let mut ticks = match self {
            Self::Linear => vec![0.0],
            Self::Log => vec![round_below(least)],
        };
        while ticks[ticks.len() - 1] < most {
            let highest = ticks[ticks.len() - 1];
            ticks.push(match self {
                Self::Linear => highest + step,
                Self::Log => round_above(highest * 1.01),
            });
        }
        if self == Self::Log && ticks[ticks.len() - 1] / ticks[0] > 2000.0 {
            ticks = every_third(ticks);
        }
        self.at(ticks)
    }

    fn place(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Log => value.log10(),
        }
    }
}

impl Ranged for Ticked {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    #[expect(clippy::cast_possible_truncation, reason = "a picture has few pixels")]
    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let Range { start, end } = self.range();
        let [value, start, end] = [*value, start, end].map(|value| self.scale.place(value));
        let part = (value - start) / (end - start);
        first + (f64::from(last - first) * part).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.ticks[0]..self.ticks[self.ticks.len() - 1]
    }
}

/// The next of 1, 2, 5, 10, 20 and so on.
fn round_above(value: f64) -> f64 {
    let decade = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 5.0].map(|step| step * decade);
    let above = steps.into_iter().find(|step| *step >= value);
    above.unwrap_or(decade * 10.0)
}

/// So that the labels of many decades have room: one a decade, up to above the last.
fn every_third(ticks: Vec<f64>) -> Vec<f64> {
    let most = ticks[ticks.len() - 1];
    let mut decades: Vec<_> = ticks.into_iter().step_by(3).collect();
    let last = decades[decades.len() - 1];
    if last < most {
        decades.push(last * 10.0);
    }
    decades
}

fn round_below(value: f64) -> f64 {
    let decade = 10_f64.powf(value.log10().floor());
    let steps = [5.0, 2.0].map(|step| step * decade);
    let below = steps.into_iter().find(|step| *step <= value);
    below.unwrap_or(decade)
}
