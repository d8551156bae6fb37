import * as common from '@grafana/grafana-foundation-sdk/common'
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus'
import * as stat from '@grafana/grafana-foundation-sdk/stat'
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries'

/** What a panel shows; every one has a title, a description and a unit. */
export interface PanelOptions {
  readonly title: string
  readonly description: string
  /** Grafana's name of the unit, e.g. `s`, `short`, `percentunit` */
  readonly unit: string
  /** PromQL by legend; `$selector` stands for the chosen job and instance */
  readonly queries: Readonly<Record<string, string>>
  /** `stat` is one number with a spark line, `timeseries` the default */
  readonly kind?: 'stat' | 'timeseries'
  /** of 24 columns; default 12, a stat 6 */
  readonly width?: number
}

const datasource = { type: 'prometheus', uid: '${datasource}' }
/** Every series is narrowed to what the variables at the top choose. */
const selector = 'job=~"$job", instance=~"$instance"'

export function panel({ title, description, unit, queries, kind = 'timeseries', width }: PanelOptions) {
  const targets = Object.entries(queries).map(([legend, expression], n) =>
    new DataqueryBuilder()
      .refId(String.fromCharCode(65 + n))
      .datasource(datasource)
      .legendFormat(legend)
      .expr(expression.replaceAll('$selector', selector)),
  )
  const builder =
    kind === 'stat'
      ? new stat.PanelBuilder().height(4).span(width ?? 6)
      : new timeseries.PanelBuilder()
          .height(8)
          .span(width ?? 12)
          .fillOpacity(8)
          .showPoints(common.VisibilityMode.Never)
          .legend(
            new common.VizLegendOptionsBuilder()
              .showLegend(true)
              .displayMode(common.LegendDisplayMode.List)
              .placement(common.LegendPlacement.Bottom),
          )
          .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi))
  return builder.title(title).description(description).unit(unit).datasource(datasource).targets(targets)
}

function labelVariable(name: string, label: string, query: string) {
  return new dashboard.QueryVariableBuilder(name)
    .label(label)
    .datasource(datasource)
    .query(query)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.+')
    .current({ text: 'All', value: '$__all', selected: true })
}

/** A dashboard of rows of panels, templated on data source, job and instance. */
export function createDashboard(
  uid: string,
  title: string,
  description: string,
  rows: Readonly<Record<string, readonly PanelOptions[]>>,
): dashboard.Dashboard {
  const builder = new dashboard.DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(['eddy'])
    .readonly()
    .refresh('30s')
    .time({ from: 'now-1h', to: 'now' })
    .timezone('browser')
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .link(new dashboard.DashboardLinkBuilder('Eddy').type(dashboard.DashboardLinkType.Dashboards).tags(['eddy']))
    .withVariable(new dashboard.DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .withVariable(labelVariable('job', 'Job', 'label_values(eddy_build_info, job)'))
    .withVariable(labelVariable('instance', 'Instance', 'label_values(eddy_build_info{job=~"$job"}, instance)'))
  for (const [row, panels] of Object.entries(rows)) {
    builder.withRow(new dashboard.RowBuilder(row))
    for (const options of panels) builder.withPanel(panel(options))
  }
  return builder.build()
}
