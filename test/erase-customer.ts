/** Asks a running Eddy to erase a customer, and waits for it. @returns records removed, by topic */
export async function eraseCustomer(url: string, customer: string): Promise<Record<string, number>> {
  const asked = await fetch(`${url}/v1/customers/${encodeURIComponent(customer)}`, { method: 'DELETE' })
  if (asked.status !== 202) throw new Error(`${url}: expected 202, got ${asked.status}: ${await asked.text()}`)
  for (;;) {
    const erasure = (await (await fetch(`${url}${asked.headers.get('location')}`)).json()) as {
      readonly state: string
      readonly erased: Record<string, number>
    }
    if (erasure.state === 'done') return erasure.erased
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
