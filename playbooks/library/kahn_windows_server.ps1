#!powershell

# Services, scheduled tasks and shares of a Windows server: stopped on the old one, brought to the new one, and back. The
# files are the work of kahn_windows_seat. Documentation is in kahn_windows_server.yml. It was never run on Windows.

#AnsibleRequires -CSharpUtil Ansible.Basic
#AnsibleRequires -PowerShell Ansible.ModuleUtils.KahnShare

$spec = @{
    options = @{
        asset = @{ type = 'str'; required = $true }
        state = @{
            type = 'str'
            required = $true
            choices = @(
                'looked', 'free', 'stopped', 'told', 'resumed', 'arranged', 'cleared', 'started', 'running', 'halted', 'enabled', 'disabled'
            )
        }
        share = @{ type = 'str' }
        share_user = @{ type = 'str' }
        share_password = @{ type = 'str'; no_log = $true }
        expected = @{ type = 'str' }
        services = @{ type = 'list'; elements = 'str' }
        tasks = @{ type = 'list'; elements = 'str' }
        shares = @{ type = 'list'; elements = 'str' }
        folders = @{ type = 'dict' }
    }
    supports_check_mode = $false
}
$module = [Ansible.Basic.AnsibleModule]::Create($args, $spec)
$ErrorActionPreference = 'Stop'
$asset = $module.Params.asset
$services = @($module.Params.services | Where-Object -FilterScript { $_ })
$tasks = @($module.Params.tasks | Where-Object -FilterScript { $_ })
$shares = @($module.Params.shares | Where-Object -FilterScript { $_ })
$folders = if ($module.Params.folders) { $module.Params.folders } else { @{} }
$store = Join-Path -Path $env:ProgramData -ChildPath "Kahn\$asset"
$record = "$store\server.json"
$before = "$store\before.json"

Function Stop-Server {
    # One failure that people can act on: a cause code, and a sentence.
    param ([string]$Cause, [string]$Says)
    $module.Result.kahn = @{ cause = $Cause; says = $Says }
    $module.FailJson($Says)
}

Function Test-Described {
    # Names are of the runbook's variables: none is a pattern, none a task of Microsoft's.
    if (-not ($services.Count + $tasks.Count + $shares.Count)) {
        Stop-Server -Cause 'server_not_described' -Says 'No service, task or share of this server is named.'
    }
    $odd = @($services | Where-Object -FilterScript { $_ -notmatch '^[A-Za-z0-9_.$ -]{1,200}$' })
    $odd += @($tasks | Where-Object -FilterScript { $_ -notmatch '^(\\[^\\/:*?"<>|\[\]]+)+$' -or $_ -match '^\\Microsoft\\' })
    $odd += @($shares | Where-Object -FilterScript { $_ -notmatch '^[^\\/:*?"<>|\[\]+=;,]{1,80}$' })
    if ($odd.Count) { Stop-Server -Cause 'server_not_described' -Says "This cannot be moved by its name: $($odd[0])" }
    if (Test-Folder -Folders $folders) { Stop-Server -Cause 'server_not_described' -Says (Test-Folder -Folders $folders) }
}

Function Get-One {
    # A service as Windows knows it; absent is a failure.
    param ([string]$Name)
    $one = Get-CimInstance -ClassName Win32_Service -Filter "Name='$Name'"
    if (-not $one) { Stop-Server -Cause 'named_missing' -Says "There is no service $Name." }
    return $one
}

Function Get-Known {
    # How a service stands: start mode, whether it starts late, whether it runs.
    param ([string]$Name)
    $one = Get-One -Name $Name
    if (@('Auto', 'Manual', 'Disabled') -notcontains $one.StartMode) {
        Stop-Server -Cause 'server_not_described' -Says "$Name is a driver, not a service of a procedure."
    }
    return @{ name = $Name; mode = $one.StartMode; late = [bool]$one.DelayedAutoStart; runs = ($one.State -eq 'Running') }
}

Function Set-Mode {
    # The start mode of a service, as it was read.
    param ([string]$Name, [string]$Mode, [bool]$Late)
    $type = @{ Auto = 'Automatic'; Manual = 'Manual'; Disabled = 'Disabled' }[$Mode]
    Set-Service -Name $Name -StartupType $type
    if (-not $Late) { return }
    $null = & sc.exe config $Name 'start=' 'delayed-auto'
    if ($LASTEXITCODE) { Stop-Server -Cause 'os_error' -Says "The start mode of $Name could not be set." }
}

Function Test-Needed {
    # A service that others need which nobody named is not stopped.
    param ([string]$Name)
    $needed = @((Get-Service -Name $Name).DependentServices | Where-Object -FilterScript { $_.Status -ne 'Stopped' -and $services -notcontains $_.Name })
    if ($needed.Count) { Stop-Server -Cause 'services_depend' -Says "$($needed[0].Name) needs $Name and is not named." }
}

Function Stop-All {
    # Last first.
    foreach ($name in @($services[($services.Count)..0] | Where-Object -FilterScript { $_ })) {
        Test-Needed -Name $name
        if ((Get-One -Name $name).State -eq 'Stopped') { continue }
        try { Stop-Service -Name $name } catch { Stop-Server -Cause 'service_not_stopped' -Says "$name did not stop: $_" }
        $module.Result.changed = $true
    }
}

Function Start-All {
    # In the order in which they are named, those that ran on the old server.
    param ([object[]]$Known)
    foreach ($one in $Known) {
        Set-Mode -Name $one.name -Mode $one.mode -Late $one.late
        if (-not $one.runs -or (Get-One -Name $one.name).State -eq 'Running') { continue }
        try { Start-Service -Name $one.name } catch { Stop-Server -Cause 'service_not_started' -Says "$($one.name) did not start: $_" }
        $module.Result.changed = $true
    }
}

Function Get-Task {
    # A scheduled task by its full name, or nothing.
    param ([string]$Name)
    $at = $Name.LastIndexOf('\') + 1
    return Get-ScheduledTask -TaskPath $Name.Substring(0, $at) -TaskName $Name.Substring($at) -ErrorAction SilentlyContinue
}

Function Get-KnownTask {
    # A task with its definition; one that needs somebody's password cannot be made again elsewhere.
    param ([string]$Name)
    $one = Get-Task -Name $Name
    if (-not $one) { Stop-Server -Cause 'named_missing' -Says "There is no task $Name." }
    if ($one.Principal.LogonType -like '*Password*') { Stop-Server -Cause 'task_with_password' -Says "$Name runs with a stored password." }
    if ($one.State -eq 'Running') { Stop-Server -Cause 'source_busy' -Says "$Name is at work." }
    return @{ name = $Name; enabled = [bool]$one.Settings.Enabled; xml = "$($one | Export-ScheduledTask)" }
}

Function Switch-Task {
    # Enables or disables one task.
    param ([string]$Name, [bool]$On)
    $one = Get-Task -Name $Name
    if (-not $one) { Stop-Server -Cause 'named_missing' -Says "There is no task $Name." }
    if ([bool]$one.Settings.Enabled -eq $On) { return }
    $null = if ($On) { $one | Enable-ScheduledTask } else { $one | Disable-ScheduledTask }
    $module.Result.changed = $true
}

Function Get-KnownShare {
    # A share with its rights. Rights of the server's own accounts mean nothing on another one.
    param ([string]$Name)
    $one = Get-SmbShare -Name $Name -ErrorAction SilentlyContinue
    if (-not $one) { Stop-Server -Cause 'named_missing' -Says "There is no share $Name." }
    if ($one.Special) { Stop-Server -Cause 'server_not_described' -Says "$Name belongs to Windows itself." }
    $inside = @($folders.Values | Where-Object -FilterScript { "$($one.Path)\".StartsWith("$($_.TrimEnd('\'))\", 'OrdinalIgnoreCase') })
    if (-not $inside.Count) { Stop-Server -Cause 'server_not_described' -Says "The folder of $Name is none of those to be moved." }
    $rights = @{ Full = @(); Change = @(); Read = @(); Deny = @() }
    foreach ($right in (Get-SmbShareAccess -Name $Name)) {
        $kind = if ("$($right.AccessControlType)" -eq 'Deny') { 'Deny' } else { "$($right.AccessRight)" }
        if (-not $rights.ContainsKey($kind) -or $right.AccountName -like "$env:COMPUTERNAME\*" -or
            ($kind -eq 'Deny' -and "$($right.AccessRight)" -ne 'Full')) {
            Stop-Server -Cause 'share_rights' -Says "A right of $($right.AccountName) on $Name cannot be given on another server."
        }
        $rights[$kind] += "$($right.AccountName)"
    }
    if (-not ($rights.Full + $rights.Change + $rights.Read).Count) { Stop-Server -Cause 'share_rights' -Says "Nobody may use $Name." }
    return @{
        name = $Name
        path = "$($one.Path)"
        description = "$($one.Description)"
        caching = "$($one.CachingMode)"
        listing = "$($one.FolderEnumerationMode)"
        encrypted = [bool]$one.EncryptData
        most = [int]$one.ConcurrentUserLimit
        rights = $rights
    }
}

Function Add-Share {
    # Shares as they were; one of that name and path that is there already stays.
    param ([object[]]$Known)
    foreach ($one in $Known) {
        $there = Get-SmbShare -Name $one.name -ErrorAction SilentlyContinue
        if ($there -and $there.Path -eq $one.path) { continue }
        if ($there) { Stop-Server -Cause 'name_taken' -Says "$($one.name) is the share of another folder there." }
        $given = @{
            Name = $one.name
            Path = $one.path
            CachingMode = $one.caching
            FolderEnumerationMode = $one.listing
            EncryptData = $one.encrypted
            ConcurrentUserLimit = $one.most
        }
        if ($one.description) { $given.Description = $one.description }
        foreach ($pair in @(@('FullAccess', 'Full'), @('ChangeAccess', 'Change'), @('ReadAccess', 'Read'), @('NoAccess', 'Deny'))) {
            $accounts = @($one.rights.($pair[1]) | Where-Object -FilterScript { $_ })
            if ($accounts.Count) { $given[$pair[0]] = $accounts }
        }
        $null = New-SmbShare @given
        $module.Result.changed = $true
    }
}

Function Remove-Share {
    # Takes the named shares away; who has a file open on them loses it.
    foreach ($name in $shares) {
        if (-not (Get-SmbShare -Name $name -ErrorAction SilentlyContinue)) { continue }
        Remove-SmbShare -Name $name -Force
        $module.Result.changed = $true
    }
}

Function Read-Kept {
    # What was noted as JSON. Of a share it is believed only by the digest that the old server tells.
    param ([string]$Path)
    if (-not [IO.File]::Exists((Get-LongPath -Path $Path))) { return $null }
    $lines = [IO.File]::ReadAllLines((Get-LongPath -Path $Path), [Text.Encoding]::UTF8)
    if ($module.Params.expected -and (Get-TextDigest -Lines $lines) -ne $module.Params.expected) {
        Stop-Server -Cause 'manifest_damaged' -Says 'What the share tells of the old server is not what that one noted.'
    }
    return $lines -join "`n" | ConvertFrom-Json
}

Function Get-Kept {
    # As above; absent is a failure.
    param ([string]$Path)
    $kept = Read-Kept -Path $Path
    if (-not $kept) { Stop-Server -Cause 'manifest_missing' -Says 'What was noted of the server is not there.' }
    return $kept
}

Function Get-Open {
    # How many files of the folders people have open.
    $tops = @($folders.Values | ForEach-Object -Process { "$($_.TrimEnd('\'))\" })
    return @(Get-SmbOpenFile | Where-Object -FilterScript {
            $path = "$($_.Path)"
            @($tops | Where-Object -FilterScript { $path.StartsWith($_, 'OrdinalIgnoreCase') }).Count
        }).Count
}

Function Get-Server {
    # All that is named, as it stands; whatever cannot be moved is a failure.
    return [ordered]@{
        services = @($services | ForEach-Object -Process { Get-Known -Name $_ })
        tasks = @($tasks | ForEach-Object -Process { Get-KnownTask -Name $_ })
        shares = @($shares | ForEach-Object -Process { Get-KnownShare -Name $_ })
    }
}

Function Show-Server {
    # Whether all could be moved now.
    Test-Here
    $all = Get-Server
    foreach ($name in $services) { Test-Needed -Name $name }
    $open = Get-Open
    if ($open) { Stop-Server -Cause 'source_busy' -Says "$open files are open." }
    return @{ services = $all.services.Count; tasks = $all.tasks.Count; shares = $all.shares.Count }
}

Function Suspend-Server {
    # Noted before anything is touched, and once: what a try that died left half stopped is not how it stood.
    param ([string]$Place)
    if (-not [IO.File]::Exists($record)) { Write-Whole -Path $record -Lines @(Get-Server | ConvertTo-Json -Depth 6 -Compress) }
    Write-Whole -Path "$Place\server.json" -Lines ([IO.File]::ReadAllLines($record, [Text.Encoding]::UTF8))
    foreach ($name in $tasks) { Switch-Task -Name $name -On $false }
    Remove-Share
    Stop-All
    foreach ($name in $services) { Set-Mode -Name $name -Mode 'Disabled' -Late $false }
    return @{ services = $services.Count; tasks = $tasks.Count; shares = $shares.Count }
}

Function Resume-Server {
    # Back as it was noted; the note goes last.
    $kept = Read-Kept -Path $record
    if (-not $kept) { return @{ resumed = $false } }
    Start-All -Known @($kept.services)
    Add-Share -Known @($kept.shares)
    foreach ($one in @($kept.tasks)) { Switch-Task -Name $one.name -On $one.enabled }
    [IO.File]::Delete($record)
    return @{ resumed = $true }
}

Function Add-Task {
    # The tasks of the old server, all disabled until the switch.
    param ([object[]]$Known)
    foreach ($one in $Known) {
        if (Get-Task -Name $one.name) { continue }
        $xml = [xml]$one.xml
        $enabled = $xml.DocumentElement.SelectSingleNode("*[local-name()='Settings']/*[local-name()='Enabled']")
        if (-not $enabled) {
            $settings = $xml.DocumentElement.SelectSingleNode("*[local-name()='Settings']")
            $enabled = $settings.AppendChild($xml.CreateElement('Enabled', $xml.DocumentElement.NamespaceURI))
        }
        $enabled.InnerText = 'false'
        $at = $one.name.LastIndexOf('\') + 1
        $null = Register-ScheduledTask -TaskPath $one.name.Substring(0, $at) -TaskName $one.name.Substring($at) -Xml $xml.OuterXml
        $module.Result.changed = $true
    }
}

Function Test-Here {
    # All folders that move are there.
    foreach ($path in $folders.Values) {
        if (-not [IO.Directory]::Exists((Get-LongPath -Path $path))) { Stop-Server -Cause 'named_missing' -Says "There is no folder $path." }
    }
}

Function Test-Free {
    # The new server is prepared, and nothing of others is in the way of what comes. Once arranged, it is our own.
    if ([IO.File]::Exists($before)) { return @{ services = $services.Count } }
    Test-Here
    foreach ($name in $tasks) {
        if (Get-Task -Name $name) { Stop-Server -Cause 'name_taken' -Says "A task $name is there already." }
    }
    foreach ($name in $shares) {
        if (Get-SmbShare -Name $name -ErrorAction SilentlyContinue) { Stop-Server -Cause 'name_taken' -Says "A share $name is there already." }
    }
    return @{ services = @($services | ForEach-Object -Process { Get-Known -Name $_ }).Count }
}

Function Set-Server {
    # The new server is made ready: how its services stand is noted, and the tasks are there.
    param ([object]$Kept)
    if (-not [IO.File]::Exists($before)) {
        $null = Test-Free
        $known = [ordered]@{ services = @($services | ForEach-Object -Process { Get-Known -Name $_ }) }
        Write-Whole -Path $before -Lines @($known | ConvertTo-Json -Depth 6 -Compress)
    }
    Add-Task -Known @($Kept.tasks)
    return @{ tasks = @($Kept.tasks).Count }
}

Function Clear-Server {
    # Takes the tasks away that were brought; without a note nothing was.
    if (-not [IO.File]::Exists($before)) { return @{ cleared = $false } }
    foreach ($name in $tasks) {
        $one = Get-Task -Name $name
        if ($one) { $one | Unregister-ScheduledTask -Confirm:$false; $module.Result.changed = $true }
    }
    [IO.File]::Delete($before)
    return @{ cleared = $true }
}

Function Test-Running {
    # The new server offers what the old one did.
    param ([object]$Kept)
    foreach ($one in @($Kept.services)) {
        if ($one.runs -and (Get-One -Name $one.name).State -ne 'Running') {
            Stop-Server -Cause 'service_not_started' -Says "$($one.name) does not run."
        }
    }
    foreach ($name in $shares) {
        if (-not (Get-SmbShare -Name $name -ErrorAction SilentlyContinue)) { Stop-Server -Cause 'named_missing' -Says "There is no share $name." }
    }
    return @{ running = $true }
}

Function Disable-Server {
    # The new server's services stand as before, its shares are gone.
    Remove-Share
    $kept = Read-Kept -Path $before
    if (-not $kept) { return @{ halted = $false } }
    Stop-All
    Start-All -Known @($kept.services)
    return @{ halted = $true }
}

$module.Result.changed = $false
if ($asset -notmatch '^[a-z0-9][a-z0-9-]{0,63}$') { Stop-Server -Cause 'bad_asset' -Says 'The asset id is no plain word.' }
Test-Described
try {
    if ($module.Params.share) { Connect-Share -Of $module.Params }
    $place = "$($module.Params.share)\$asset"
    $module.Result.kahn = switch ($module.Params.state) {
        'looked' { Show-Server }
        'free' { Test-Free }
        'stopped' { Suspend-Server -Place $place }
        'told' { @{ manifest = (Get-TextDigest -Lines ([IO.File]::ReadAllLines($record, [Text.Encoding]::UTF8))) } }
        'resumed' { Resume-Server }
        'arranged' { Set-Server -Kept (Get-Kept -Path "$place\server.json") }
        'cleared' { Clear-Server }
        'started' {
            $kept = Get-Kept -Path "$place\server.json"
            Start-All -Known @($kept.services)
            Add-Share -Known @($kept.shares)
            @{ services = @($kept.services).Count; shares = @($kept.shares).Count }
        }
        'running' { Test-Running -Kept (Get-Kept -Path "$place\server.json") }
        'halted' { Disable-Server }
        'enabled' {
            foreach ($one in @((Get-Kept -Path "$place\server.json").tasks)) { Switch-Task -Name $one.name -On $one.enabled }
            @{ tasks = $tasks.Count }
        }
        'disabled' {
            foreach ($name in $tasks) { if (Get-Task -Name $name) { Switch-Task -Name $name -On $false } }
            @{ disabled = $true }
        }
    }
}
catch [IO.IOException] {
    $full = ($_.Exception.HResult -band 0xffff) -in 39, 112
    Stop-Server -Cause $(if ($full) { 'disk_full' } else { 'os_error' }) -Says $_.Exception.Message
}
catch [UnauthorizedAccessException] { Stop-Server -Cause 'permission_denied' -Says $_.Exception.Message }
catch [Microsoft.Management.Infrastructure.CimException] { Stop-Server -Cause 'os_error' -Says $_.Exception.Message }
finally { if ($module.Params.share) { Disconnect-Share -Of $module.Params } }
$module.ExitJson()
