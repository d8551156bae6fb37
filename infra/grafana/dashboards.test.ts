import { createMetrics } from '@eddy/runtime'
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { describe, expect, it } from 'vitest'
import { rules, seriesIn } from '../prometheus/testing.ts'
import { dashboards } from './dashboards.ts'
import { dataPanels, lint } from './linter.ts'

describe.each(Object.entries(dashboards))('dashboard %s', (_name, board) => {
  it("obeys the dashboard-linter's rules", () => {
    expect(lint(board)).toEqual([])
  })

  it('uses only metrics that there are', () => {
    const known = new Set([
      ...rules().map(({ record }) => record),
      ...createMetrics()
        .registry.getMetricsAsArray()
        .flatMap(({ name }) => [name, `${name}_bucket`]),
    ])
    const used = dataPanels(board).flatMap(({ targets }) => targets?.flatMap(({ expr }) => seriesIn(expr)) ?? [])
    expect(used.filter(name => !known.has(name))).toEqual([])
  })

  it('lays its panels out in 24 columns, none over another', () => {
    const cells = new Set<string>()
    for (const { gridPos } of (board.panels ?? []) as { gridPos: { x: number; y: number; w: number; h: number } }[]) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(cells.has(`${x},${y}`)).toBe(false)
          cells.add(`${x},${y}`)
        }
    }
  })
})

it('the linter sees each rule broken', () => {
  const copy = (): Dashboard => JSON.parse(JSON.stringify(dashboards.overview)) as Dashboard
  const broken = (change: (board: Dashboard, panel: Record<string, never>) => void): string[] => {
    const board = copy()
    change(board, board.panels?.[1] as unknown as Record<string, never>)
    return lint(board).map(problem => problem.split(':')[0] as string)
  }
  const target = (expr: string) => [{ expr, legendFormat: 'x', datasource: { uid: '${datasource}' } }] as never
  const own = 'job=~"$job", instance=~"$instance"'
  expect(broken(board => (board.editable = true))).toEqual(['uneditable-dashboard'])
  expect(broken(board => board.templating?.list?.shift())).toEqual(['template-datasource'])
  expect(broken((_, panel) => delete panel.description)).toEqual(['panel-title-description'])
  expect(broken((_, panel) => delete panel.fieldConfig)).toEqual(['panel-units'])
  expect(broken((_, panel) => delete panel.datasource)).toEqual(['panel-datasource'])
  expect(broken((_, panel) => delete panel.targets)).toEqual(['panel-no-targets'])
  const withTarget = (expr: string) => broken((_, panel) => (panel.targets = target(expr)))
  expect(withTarget('eddy_ready')).toEqual(['target-promql'])
  expect(withTarget('eddy_ready{}')).toEqual(['target-job', 'target-instance'])
  expect(withTarget(`eddy_records_processed_total{${own}}`)).toEqual(['target-counter-agg'])
  expect(withTarget(`rate(eddy_records_processed_total{${own}}[5m])`)).toEqual(['target-rate-interval'])
})
