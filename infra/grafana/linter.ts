import type * as dashboard from '@grafana/grafana-foundation-sdk/dashboard'

interface Target {
  readonly expr: string
  readonly legendFormat?: string
  readonly datasource?: { readonly uid?: string }
}

export interface LintedPanel {
  readonly title?: string
  readonly description?: string
  readonly type: string
  readonly datasource?: { readonly uid?: string }
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } }
  readonly targets?: readonly Target[]
}

/** Panels that show data, rows left out. */
export const dataPanels = ({ panels }: dashboard.Dashboard): LintedPanel[] =>
  ((panels ?? []) as unknown as LintedPanel[]).filter(({ type }) => type !== 'row')

/** The rules of Grafana's dashboard-linter (github.com/grafana/dashboard-linter) for Prometheus dashboards. @returns what breaks them */
export function lint(board: dashboard.Dashboard): string[] {
  const problems: string[] = []
  const check = (rule: string, holds: boolean, what: string): void => {
    if (!holds) problems.push(`${rule}: ${board.title}: ${what}`)
  }
  const variables = new Map((board.templating?.list ?? []).map(variable => [variable.name, variable]))
  const source = variables.get('datasource')
  check('template-datasource', source?.type === 'datasource' && source.query === 'prometheus', 'a data source variable')
  for (const name of ['job', 'instance']) {
    const variable = variables.get(name)
    check(`template-${name}`, variable?.type === 'query', 'a query variable')
    check(`template-${name}`, variable?.datasource?.uid === '${datasource}', 'uses the data source variable')
    check(`template-${name}`, variable?.multi === true && variable.allValue === '.+', 'multi, with allValue .+')
    check(`template-${name}`, variable?.label?.toLowerCase() === name, 'labelled by its name')
    check('template-on-time-change-reload', variable?.refresh === 2, `${name} is read again with the time range`)
    check(
      'template-label-promql',
      /^label_values\(.+, \w+\)$/.test(String(variable?.query)),
      `${name} is label_values(…)`,
    )
  }
  check('uneditable-dashboard', board.editable === false, 'not editable')
  for (const panel of dataPanels(board)) {
    const named = panel.title ?? '(no title)'
    check('panel-datasource', panel.datasource?.uid === '${datasource}', named)
    check('panel-title-description', Boolean(panel.title && panel.description), named)
    check('panel-units', Boolean(panel.fieldConfig?.defaults.unit), named)
    check('panel-no-targets', (panel.targets?.length ?? 0) > 0, named)
    for (const { expr, legendFormat, datasource } of panel.targets ?? []) {
      lintTarget(expr, named, check)
      check('target-legend', Boolean(legendFormat), named)
      check('target-datasource', datasource?.uid === '${datasource}', named)
    }
  }
  return problems
}

function lintTarget(expr: string, named: string, check: (rule: string, holds: boolean, what: string) => void): void {
  const selectors = [...expr.matchAll(/([a-z_:0-9]+)\{([^}]*)\}/g)]
  check('target-promql', selectors.length > 0, `${named}: selects a series`)
  for (const [, metric, labels] of selectors) {
    check('target-job', (labels as string).includes('job=~"$job"'), `${named}: ${metric}`)
    check('target-instance', (labels as string).includes('instance=~"$instance"'), `${named}: ${metric}`)
    if (/_(total|bucket|count|sum)$/.test(metric as string)) {
      const counted = new RegExp(`(rate|irate|increase)\\(${metric}\\{[^}]*\\}\\[`).test(expr)
      check('target-counter-agg', counted, `${named}: ${metric} is a counter`)
    }
  }
  for (const [, range] of expr.matchAll(/\b(?:rate|irate)\([^[]*\[([^\]]+)\]/g))
    check('target-rate-interval', range === '$__rate_interval', `${named}: ${range}`)
}
