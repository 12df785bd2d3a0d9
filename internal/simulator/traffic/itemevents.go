package traffic

import (
	"slices"
	"time"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
)

// ItemEvent is a change of a venue's menu: from an instant on, Item is sold as
// As, or not at all where As is nil. What was sold before keeps its name.
type ItemEvent struct {
	At   time.Time
	Item string
	As   *Dish
}

// Rename lets a dish have another name under its id.
func Rename(d Dish, name string, at time.Time) ItemEvent {
	d.Name = wire.Text(name)
	return Introduce(d, at)
}

// Retire takes an item off the menu.
func Retire(item string, at time.Time) ItemEvent { return ItemEvent{At: at, Item: item} }

// Introduce puts a dish on the menu: a new one, or, under an id that was
// retired, another product.
func Introduce(d Dish, at time.Time) ItemEvent {
	return ItemEvent{At: at, Item: string(d.ID), As: &d}
}

// datedMenu is a menu with its first instant.
type datedMenu struct {
	from time.Time
	menu Menu
}

// menusOf are a venue's menus, the first since ever.
func menusOf(v *Venue) []datedMenu {
	first := v.Menu
	if len(first.Dishes) == 0 {
		first = commonMenu
	}
	first.check()
	menus := []datedMenu{{menu: first}}
	events := slices.Clone(v.ItemEvents)
	slices.SortStableFunc(events, func(a, b ItemEvent) int { return a.At.Compare(b.At) })
	for _, e := range events {
		next := e.apply(menus[len(menus)-1].menu)
		next.check()
		menus = append(menus, datedMenu{e.At, next})
	}
	return menus
}

func (e ItemEvent) apply(m Menu) Menu {
	i := slices.IndexFunc(m.Dishes, func(d Dish) bool { return string(d.ID) == e.Item })
	m.Dishes = slices.Clone(m.Dishes)
	switch {
	case e.As == nil && i >= 0:
		m.Dishes = slices.Delete(m.Dishes, i, i+1)
	case e.As != nil && i >= 0:
		m.Dishes[i] = *e.As
	case e.As != nil:
		m.Dishes = append(m.Dishes, *e.As)
	}
	return m
}

// menu is what the till sells at an instant.
func (t *till) menu(at time.Time) *Menu {
	for i := len(t.menus) - 1; i > 0; i-- {
		if !at.Before(t.menus[i].from) {
			return &t.menus[i].menu
		}
	}
	return &t.menus[0].menu
}

// shownMenus are a venue's menus as the till tells them.
func shownMenus(v *Venue) (first clustersim.Menu, next []clustersim.NextMenu) {
	menus := menusOf(v)
	for _, m := range menus[1:] {
		next = append(next, clustersim.NextMenu{From: m.from, Menu: m.menu.shown()})
	}
	return menus[0].menu.shown(), next
}
